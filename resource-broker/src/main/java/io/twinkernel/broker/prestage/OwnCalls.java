package io.twinkernel.broker.prestage;

/** Is told of what the broker does in a process's name: it is none of the process's own doing. */
interface OwnCalls {
  /** For a process that is not watched. */
  OwnCalls UNTOLD =
      new OwnCalls() {
        @Override
        public void call(SystemCall call) {
          // Nobody asks.
        }

        @Override
        public void child(int number) {
          // Likewise.
        }
      };

  /** A call that is about to be made. */
  void call(SystemCall call);

  /** A process that a call has made. */
  void child(int number);
}
