// SPDX-License-Identifier: GPL-2.0
/*
 * Each kernel writes the time into the shared region ten times a second and
 * watches whether the other one does. How long silence means death depends on
 * how late this kernel's own timer came of late, and the other's beats: on a
 * slow or emulated machine both suffer alike. A kernel that panics says so
 * itself (panic.c); this is for those that hang.
 */
#include <linux/ktime.h>
#include <linux/workqueue.h>
#include <asm/tsc.h>

#include "twin_internal.h"

#define PERIOD_MS	100
#define SILENCE_MS	700
#define LATENESS_FACTOR	4	/* silence allowed for each ms of lateness */
#define UNKNOWN_MS	2500	/* lateness of a kernel that has just come up */
#define DECAY		16	/* part of a lateness that a timely beat forgives */

static struct workqueue_struct *queue;
static u64 last_beat;		/* of the other kernel */
static ktime_t last_change;	/* of it, by this kernel's clock */
static ktime_t last_run;
static s64 own_lateness_ms;	/* worst of late, decaying */
static s64 other_lateness_ms;	/* the same of the other kernel's beats */

static void beat(struct work_struct *work);
static DECLARE_DELAYED_WORK(beat_work, beat);

static void measure_lateness(s64 *lateness_ms, ktime_t now, ktime_t before)
{
	s64 late = ktime_ms_delta(now, before) - PERIOD_MS;

	*lateness_ms = max(late, *lateness_ms - *lateness_ms / DECAY);
}

/* Called with twin.shared_lock or twin.lock held. */
void twin_heartbeat_forget_other(void)
{
	last_beat = 0;
	other_lateness_ms = UNKNOWN_MS;
	WRITE_ONCE(twin.other_stopped, false);
}

static bool other_is_silent(ktime_t now)
{
	u64 other = READ_ONCE(twin.shared->heartbeat[twin_other_side()]);

	if (other != last_beat || !other) {
		if (other && last_beat)
			measure_lateness(&other_lateness_ms, now, last_change);
		last_beat = other;
		last_change = now;
		return false;
	}
	return ktime_ms_delta(now, last_change) >
	       SILENCE_MS + LATENESS_FACTOR * (own_lateness_ms +
					       other_lateness_ms);
}

static void beat(struct work_struct *work)
{
	struct twin_layout layout;
	ktime_t now = ktime_get();
	bool stopped;

	measure_lateness(&own_lateness_ms, now, last_run);
	last_run = now;
	twin_start_settle();
	mutex_lock(&twin.shared_lock);
	if (!twin_layout_read(&layout)) {
		twin_publish();
		WRITE_ONCE(twin.shared->heartbeat[twin.side], rdtsc());
		stopped = twin_other_panicked() || other_is_silent(now);
		if (stopped != twin.other_stopped) {
			WRITE_ONCE(twin.other_stopped, stopped);
			wake_up_all(&twin.wait);
		}
	}
	mutex_unlock(&twin.shared_lock);
	queue_delayed_work(queue, &beat_work, msecs_to_jiffies(PERIOD_MS));
}

int twin_heartbeat_init(void)
{
	queue = alloc_workqueue("twin", WQ_HIGHPRI | WQ_UNBOUND | WQ_MEM_RECLAIM,
				1);
	if (!queue)
		return -ENOMEM;
	last_run = ktime_get();
	other_lateness_ms = UNKNOWN_MS;
	queue_delayed_work(queue, &beat_work, 0);
	return 0;
}

void twin_heartbeat_exit(void)
{
	cancel_delayed_work_sync(&beat_work);
	destroy_workqueue(queue);
}
