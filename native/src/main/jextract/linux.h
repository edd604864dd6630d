/* What linux.args binds: syscall(2), the calls' numbers, structures and flags. */
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/module.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
