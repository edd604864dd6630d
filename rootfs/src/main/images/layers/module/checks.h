/* SPDX-License-Identifier: Apache-2.0 */
/* What programs say that ask the module: a line "ok NAME" or "bad NAME WHY" for each check. */
#ifndef CHECKS_H
#define CHECKS_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what)
{
	printf("bad program %s: %s\n", what, strerror(errno));
	exit(1);
}

#define MUST(call) ({ long must_ = (long)(call); if (must_ == -1) die(#call); must_; })

static void tell(const char *name, bool good, const char *format, ...)
{
	va_list list;

	printf("%s %s ", good ? "ok" : "bad", name);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	putchar('\n');
	fflush(stdout);
}

static void is(const char *name, int wanted, int found)
{
	tell(name, wanted == found, "%s", found ? strerrorname_np(found) : "0");
}

#endif /* CHECKS_H */
