package io.twinkernel.broker.agent;

/**
 * The messages of the link. Order of an upgrade:
 *
 * <pre>
 *   B                                       A
 *   │ ── HELLO ───────────────────────────▶ │  B is up, on all CPUs that A gave it
 *   │ ◀──────────────────── CONFIG, POLICY  │  B's own from then on
 *   │ ◀────────────────────────── SETTINGS  │  limits and name of the machine, B's from then on
 *   │ ◀──── SSDT, INTERFACE, then FAILOVER  │  what B needs should A panic; if it is to take over
 *   │ ◀── MEASURE, ECHO …, BULK …, MEASURE  │  where the link is to be measured: only now
 *   │ ── MEASURED, ECHOED … ──────────────▶ │
 *   │ ── EVENT … ─────────────────────────▶ │  A passes them on to the control plane
 *   │ ◀───────────────────────────── MEMORY │  that A let go, if the processes need it
 *   │ ◀──── SSDT, INTERFACE, then STAGE ─── │  what B needs to know ahead of the switch
 *   │ ── STAGED ──────────────────────────▶ │
 *   │ ◀─── FILE_OPEN, FILE_DATA, … FILES_END │  pre-copy rounds
 *   │ ◀──── files of a dump, HOLD, PRESTAGE │  of each tree: then copies of its processes wait
 *   │ ── PRESTAGED or PRESTAGE_FAILED ────▶ │
 *   │ ◀───────── MEMORY_SHAPE, DESCRIPTORS, │  keep it up to date; or UNSTAGE: it goes again, and
 *   │            THREADS, REGISTERS, PAGES  │  FILES_FORGET: so do the files
 *   │ ◀─────────────────────── ASK_COPIES  │
 *   │ ── COPIES ──────────────────────────▶ │  whether they have taken all that
 *   │ ◀──────────────────────── GET_READY  │  the gap is near
 *   │ ── READY ───────────────────────────▶ │  its pulse has beaten since GET_READY
 *   │ ◀────────────────────── NIC_RELEASED  │  ┐
 *   │ ◀───────────────────── DISK_RELEASED  │  │ where one goes over: B may mount it
 *   │ ◀──── MEMORY_SHAPE, THREADS, PAGES,   │  │ the gap: baton SWITCHING
 *   │       DESCRIPTORS, CONNECTIONS, DELTA │  │
 *   │       where a copy waits, or files of │  │
 *   │       a full dump and RESTORE         │  │ RESTORE: one tree, while A dumps the next
 *   │ ◀──────────────────── IMAGE_COMPLETE  │  │
 *   │ ── OPENED ──────────────────────────▶ │  │ the processes run, the network is B's
 *   │ ◀────────────────────────── FRAMES …  │  │ what has come in at A, where B has a NIC of its
 *   │                                       │  │ own, and NIC_RELEASED was not sent; also later
 *   │ ── RESUMED or RESUME_FAILED ────────▶ │  ┘ the baton says which; these only wake A, which
 *   │                                       │    takes no CPU until clients have their answers
 *   │ ── REHEARSED ───────────────────────▶ │  instead, where nothing was to be committed
 *   │ ◀─────────────────────── CALLED_OFF  │  where A cannot go on, and B has its NIC or disk: B lets
 *   │ ── RESUME_FAILED ───────────────────▶ │  go of them
 *   │ ◀───────────────────────────── TRACE  │  where the time went in A, who is in what cgroup, on which CPUs
 *   │ ── RELEASE_MACHINE ─────────────────▶ │  after the commit
 *   │ ◀────────────────── MACHINE_RELEASED  │  then A parks
 * </pre>
 */
final class FrameType {
  static final int HELLO = 1;
  static final int CONFIG = 2;
  static final int EVENT = 3;
  static final int SSDT = 4;
  static final int INTERFACE = 5;
  static final int STAGE = 6;
  static final int STAGED = 7;
  static final int FILE_OPEN = 8;
  static final int FILE_DATA = 9;
  static final int FILES_END = 10;
  static final int FILE_LINK = 11;
  static final int NIC_RELEASED = 12;
  static final int IMAGE_COMPLETE = 13;
  static final int RESUME_FAILED = 14;
  static final int RELEASE_MACHINE = 15;
  static final int MACHINE_RELEASED = 16;
  static final int RESUMED = 17;
  static final int HOLD = 18;
  static final int PRESTAGE = 19;
  static final int PRESTAGED = 20;
  static final int PRESTAGE_FAILED = 21;
  static final int PAGES = 22;
  static final int DELTA = 23;
  static final int UNSTAGE = 24;
  static final int UNSTAGED = 25;
  static final int POLICY = 26;
  static final int FILES_FORGET = 27;
  static final int FAILOVER = 28;
  static final int GET_READY = 29;
  static final int READY = 30;
  static final int REHEARSED = 32;
  static final int DISK_RELEASED = 33;
  static final int MEMORY = 34;
  static final int ECHO = 35;
  static final int ECHOED = 36;
  static final int BULK = 37;
  static final int MEASURE = 38;
  static final int MEASURED = 39;
  static final int REGISTERS = 40;
  static final int TRACE = 41;
  static final int FRAMES = 42;
  static final int OPENED = 43;
  static final int CONNECTIONS = 44;
  static final int RESTORE = 45;
  static final int DESCRIPTORS = 46;
  static final int MEMORY_SHAPE = 47;
  static final int ASK_COPIES = 48;
  static final int COPIES = 49;
  static final int CALLED_OFF = 50;
  static final int THREADS = 51;
  static final int SETTINGS = 52;

  /**
   * In the JSON of REHEARSED and RESUME_FAILED: B's drivers have left the NIC and the disk, so that
   * A can have them and go on before B is stopped.
   */
  static final String DEVICES_ARE_FREE = "devices_are_free";

  /** In the JSON of READY: how late B's pulse was when the gap was practised, ns. */
  static final String LATEST_PULSE = "latest_pulse_ns";

  /** In the JSON of RESTORE and IMAGE_COMPLETE: the folders of images, by their trees' roots. */
  static final String IMAGES = "images";

  private FrameType() {}
}
