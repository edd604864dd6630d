/* What errnos.args binds: error numbers. */
#include <errno.h>
