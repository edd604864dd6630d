package io.twinkernel.control.engine;

import io.twinkernel.control.journal.Journal;
import io.twinkernel.control.journal.JournalFolder;
import io.twinkernel.control.json.Json;
import io.twinkernel.control.upgrade.Decider;
import io.twinkernel.control.upgrade.Entry;
import io.twinkernel.control.upgrade.Input;
import io.twinkernel.control.upgrade.Owner;
import io.twinkernel.control.upgrade.Role;
import io.twinkernel.control.upgrade.State;
import io.twinkernel.control.upgrade.Trigger;
import io.twinkernel.control.upgrade.Upgrade;
import io.twinkernel.control.upgrade.UpgradeEvent;
import io.twinkernel.control.upgrade.UpgradeRequest;
import io.twinkernel.control.upgrade.Verb;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Runs the upgrades of all nodes, at most one at a time on each. Everything happens on one thread
 * of its own, in this order: an input comes in, the {@link Decider} says what follows, that is
 * journalled and flushed to the disk, then it takes effect (commands are sent, events told,
 * deadlines set). The phases themselves run on the nodes, so one thread serves many.
 *
 * <p>On start every journal is read; upgrades that were under way go on where they stood as soon as
 * their brokers dial in, with their deadlines started anew.
 */
public final class Conductor implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("twinkernel.conductor");

  /** In these no twin has come to life. */
  private static final Set<State> BEFORE_BOOT =
      Set.of(State.REQUESTED, State.PLANNED, State.PREPARED);

  private final JournalFolder folder;
  private final Deadlines deadlines;
  private final Consumer<UpgradeEvent> publisher;
  private final Loop loop = new Loop("twinkernel-conductor");
  private final SecureRandom random = new SecureRandom();
  private final Map<String, Run> runs = new LinkedHashMap<>();
  private final Nodes nodes = new Nodes();
  private long lastNumber;

  private Conductor(JournalFolder folder, Deadlines deadlines, Consumer<UpgradeEvent> publisher) {
    this.folder = folder;
    this.deadlines = deadlines;
    this.publisher = publisher;
  }

  /**
   * Reads the journals and goes on.
   *
   * @param publisher told every event once it is on the disk; must not block
   */
  public static Conductor start(
      JournalFolder folder, Deadlines deadlines, Consumer<UpgradeEvent> publisher)
      throws IOException {
    var conductor = new Conductor(folder, deadlines, publisher);
    for (Journal.Contents contents : folder.readAll()) {
      Upgrade upgrade = contents.upgrade();
      var run = new Run(folder.reopen(upgrade), upgrade, contents.events());
      conductor.runs.put(upgrade.id(), run);
      conductor.lastNumber = Math.max(conductor.lastNumber, upgrade.lastCommand());
      conductor.nodes.know(upgrade.request().node());
    }
    conductor.loop.enqueue(
        () ->
            List.copyOf(conductor.runs.values())
                .forEach(run -> conductor.feed(run, new Input.Begin())));
    return conductor;
  }

  // --- operators

  /** Starts an upgrade; it is on disk when the future completes. */
  public CompletableFuture<Upgrade> post(UpgradeRequest request) {
    return loop.ask(
        () -> {
          String node = request.node();
          if (!nodes.knows(node)) {
            throw Refusals.nodeUnknown(node);
          }
          Optional<Run> running = underWay(node);
          if (running.isPresent()) {
            throw Refusals.underWay(running.get().upgrade);
          }
          if (!nodes.connected(node)) {
            throw Refusals.nodeAway(node);
          }
          byte[] bytes = new byte[8];
          random.nextBytes(bytes);
          String id = HexFormat.of().formatHex(bytes);
          var first = new Entry.Requested(id, System.currentTimeMillis(), request);
          Run run = new Run(folder.create(first), Upgrade.begin(first), List.of());
          runs.put(id, run);
          feed(run, new Input.Begin());
          return run.upgrade;
        });
  }

  /** Asks for a rollback; what becomes of it, the events tell. */
  public CompletableFuture<Upgrade> rollBack(String id) {
    return loop.ask(
        () -> {
          Run run = find(id);
          State state = run.upgrade.state();
          if (!state.beforeSwitch() && state != State.SWITCHING && state != State.ROLLING_BACK) {
            throw Refusals.tooLate(run.upgrade);
          }
          feed(run, new Input.RollBack());
          return run.upgrade;
        });
  }

  /** Lets a waiting upgrade go on, to that phase if one is given. */
  public CompletableFuture<Upgrade> proceed(String id, @Nullable Verb until) {
    return loop.ask(
        () -> {
          Run run = find(id);
          Verb held = run.upgrade.until();
          if (!run.upgrade.held() || held == null) {
            throw Refusals.notWaiting(run.upgrade);
          }
          if (until != null && until.compareTo(held) <= 0) {
            throw Refusals.untilPassed(run.upgrade, until);
          }
          feed(run, new Input.Continue(until));
          return run.upgrade;
        });
  }

  /** All upgrades, oldest first. */
  public CompletableFuture<List<Upgrade>> upgrades() {
    return loop.ask(() -> runs.values().stream().map(run -> run.upgrade).toList());
  }

  public CompletableFuture<Upgrade> upgrade(String id) {
    return loop.ask(() -> find(id).upgrade);
  }

  /**
   * The events after that sequence number.
   *
   * @param patience how long to wait for one if there is none yet and the upgrade is not over
   */
  public CompletableFuture<List<UpgradeEvent>> events(String id, long after, Duration patience) {
    var answer = new CompletableFuture<List<UpgradeEvent>>();
    CompletableFuture<Run> found = loop.ask(() -> watch(find(id), after, patience, answer));
    var _ =
        found.exceptionally(
            e -> {
              answer.completeExceptionally(e);
              throw new CompletionException(e);
            });
    return answer;
  }

  private Run watch(
      Run run, long after, Duration patience, CompletableFuture<List<UpgradeEvent>> answer) {
    List<UpgradeEvent> events = run.eventsAfter(after);
    if (!events.isEmpty() || run.upgrade.state().terminal() || !patience.isPositive()) {
      answer.complete(events);
    } else {
      Runnable watcher = () -> answer.complete(run.eventsAfter(after));
      run.watchers.add(watcher);
      var _ =
          loop.after(
              patience,
              () -> {
                run.watchers.remove(watcher);
                watcher.run();
              });
    }
    return run;
  }

  public CompletableFuture<List<NodeStatus>> nodes() {
    return loop.ask(() -> nodes.names().stream().sorted().map(this::status).toList());
  }

  // --- brokers

  /** A broker has said hello. */
  public void dialled(BrokerLink link) {
    loop.enqueue(
        () -> {
          nodes.add(link);
          underWay(link.node())
              .ifPresent(
                  run -> feed(run, new Input.Dialled(roleIn(run.upgrade, link), link.kernel())));
        });
  }

  /** It says that it is something else now: the twin that took the machine over is its primary. */
  public void changed(BrokerLink former, BrokerLink link) {
    loop.enqueue(
        () -> {
          if (nodes.remove(former)) {
            nodes.add(link);
          }
        });
  }

  /** Its connection is gone. */
  public void lost(BrokerLink link) {
    loop.enqueue(
        () -> {
          if (nodes.remove(link)) {
            underWay(link.node())
                .ifPresent(run -> feed(run, new Input.Lost(roleIn(run.upgrade, link))));
          }
        });
  }

  /** It tells something about an upgrade of its node. */
  public void said(BrokerLink link, String upgrade, Input.Said said) {
    loop.enqueue(
        () -> {
          Run run = runs.get(upgrade);
          if (run == null || !run.upgrade.request().node().equals(link.node())) {
            LOG.log(
                System.Logger.Level.WARNING,
                "node {0}: an event of upgrade {1}, which is not one of its own",
                link.node(),
                upgrade);
          } else if (said.adopts()) {
            // The primary is no more, and nobody closes its connection.
            nodes.drop(link.node(), Role.PRIMARY);
            feed(run, said);
          } else {
            feed(run, said.as(roleIn(run.upgrade, link)));
          }
        });
  }

  /** It answers a command. */
  public void replied(BrokerLink link, Input.Replied replied) {
    loop.enqueue(() -> underWay(link.node()).ifPresent(run -> feed(run, replied)));
  }

  // --- on the thread

  private void feed(Run run, Input input) {
    List<Entry> entries =
        Decider.decide(run.upgrade, input, () -> ++lastNumber, System.currentTimeMillis());
    if (!entries.isEmpty()) {
      try {
        run.journal.append(entries);
      } catch (IOException e) {
        // Nothing has happened then: the deadline, or the broker's next word, tries again.
        LOG.log(System.Logger.Level.ERROR, "upgrade " + run.upgrade.id() + " stands still", e);
        run.deadlineFor = 0;
        armDeadline(run);
        return;
      }
      entries.forEach(entry -> takeEffect(run, entry));
    }
    armDeadline(run);
  }

  private void takeEffect(Run run, Entry entry) {
    run.upgrade = run.upgrade.apply(entry);
    switch (entry) {
      case Entry.Commanded command -> send(run.upgrade, command);
      case Entry.Happened happened -> {
        UpgradeEvent event = happened.event();
        LOG.log(
            System.Logger.Level.INFO,
            "upgrade {0} on {1} #{2} {3} {4} {5}: {6}",
            event.upgrade(),
            event.node(),
            Long.toString(event.sequence()),
            event.state(),
            event.phase().word(),
            event.status().word(),
            event.message());
        run.events.add(event);
        publisher.accept(event);
        if (happened.trigger() == Trigger.COMMIT) {
          // The former primary has no NIC any more: its connection hangs, and must not come back.
          nodes.drop(event.node(), Role.PRIMARY);
        }
        var watchers = List.copyOf(run.watchers);
        run.watchers.clear();
        watchers.forEach(Runnable::run);
      }
      case Entry.Requested _, Entry.Continued _ -> {
        // Nobody outside is to be told.
      }
    }
  }

  private void send(Upgrade upgrade, Entry.Commanded command) {
    broker(upgrade, command.to())
        .ifPresent(
            link -> {
              var message = new LinkedHashMap<String, Object>();
              message.put("type", "command");
              message.put("command", command.number());
              message.put("upgrade", upgrade.id());
              message.put("verb", command.verb().word());
              message.put("arguments", command.arguments());
              link.send(Json.write(message));
            });
  }

  /**
   * What a broker is in that upgrade. The twin that won the last one is the next one's primary, and
   * says so once it is asked for a plan: who calls itself a twin later is the next twin.
   */
  private Role roleIn(Upgrade upgrade, BrokerLink link) {
    boolean formerTwin = link.role() == Role.SECONDARY && latest(link.node(), true).isPresent();
    return switch (upgrade.owner()) {
      case PRIMARY -> {
        boolean noTwinYet = upgrade.plan().isEmpty() || BEFORE_BOOT.contains(upgrade.state());
        boolean alone = nodes.broker(link.node(), Role.PRIMARY).isEmpty();
        yield formerTwin && noTwinYet && alone ? Role.PRIMARY : link.role();
      }
      case UNDECIDED ->
          formerTwin && !link.kernel().equals(upgrade.kernel()) ? Role.PRIMARY : link.role();
      case SECONDARY -> link.role();
    };
  }

  /**
   * The broker that takes that role. A twin dials in when it owns its machine: then it is the one
   * kernel there is, and takes the next upgrade's commands even if it still calls itself secondary.
   */
  private Optional<BrokerLink> broker(Upgrade upgrade, Role role) {
    String node = upgrade.request().node();
    Optional<BrokerLink> link = nodes.broker(node, role);
    boolean owner = latest(node, true).isPresent() || upgrade.state() == State.REQUESTED;
    return link.isEmpty() && role == Role.PRIMARY && owner
        ? nodes.broker(node, Role.SECONDARY)
        : link;
  }

  private void armDeadline(Run run) {
    Upgrade.InFlight command = run.upgrade.inFlight();
    long number = command == null ? 0 : command.number();
    if (number == run.deadlineFor) {
      return;
    }
    if (run.deadline != null) {
      run.deadline.cancel(false);
      run.deadline = null;
    }
    run.deadlineFor = number;
    if (command != null) {
      run.deadline =
          loop.after(deadlines.of(command.verb()), () -> feed(run, new Input.Overdue(number)));
    }
  }

  private Run find(String id) throws RefusedException {
    Run run = runs.get(id);
    if (run == null) {
      throw Refusals.upgradeUnknown(id);
    }
    return run;
  }

  private Optional<Run> underWay(String node) {
    return of(node).filter(run -> !run.upgrade.state().terminal()).findFirst();
  }

  private Optional<Run> latest(String node, boolean committed) {
    return of(node)
        .filter(run -> !committed || run.upgrade.owner() == Owner.SECONDARY)
        .max(Comparator.comparingLong(run -> run.upgrade.createdMs()));
  }

  private Stream<Run> of(String node) {
    return runs.values().stream().filter(run -> run.upgrade.request().node().equals(node));
  }

  private NodeStatus status(String node) {
    return new NodeStatus(
        node,
        nodes.connected(node),
        nodes.brokers(node),
        underWay(node).map(run -> run.upgrade.id()).orElse(null),
        latest(node, false).map(run -> run.upgrade.id()).orElse(null));
  }

  /** Stops at once; upgrades go on when a control plane reads the journals again. */
  @Override
  public void close() throws IOException {
    loop.close();
    for (Run run : runs.values()) {
      run.journal.close();
    }
    folder.close();
  }
}
