package io.twinkernel.control.upgrade;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What an operator asks for.
 *
 * @param node the machine, by the name under which its broker dials in
 * @param image path of the new kernel's bzImage, on the node
 * @param initrd path of its initramfs, on the node
 * @param cpus CPUs that the new kernel gets when it boots; empty: the node's own configuration says
 * @param buses PCI buses, as 0000:82, that it gets when it boots; empty: as above
 * @param faults faults to inject: twin-hangs, restore-fails, or one at a step of the switch, as
 *     a-fails@freeze
 * @param rehearse everything but the commit; then it is undone
 * @param measureLink measure the link between the kernels when the new one has booted, by so many
 *     round trips of each kind; 0: it is not measured
 * @param until the phase after which the upgrade waits to be continued; none: it runs through
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record UpgradeRequest(
    String node,
    String image,
    String initrd,
    List<Integer> cpus,
    List<String> buses,
    List<String> faults,
    Boolean rehearse,
    Integer measureLink,
    @Nullable Verb until) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
  private static final Pattern BUS = Pattern.compile("[0-9a-f]{4}:[0-9a-f]{2}");
  private static final Pattern FAULT =
      Pattern.compile(
          "twin-hangs|restore-fails"
              + "|(a-(fails|dies)|b-(fails|dies|hangs|panics))@[a-z]+(-[a-z]+)*");
  private static final int LONGEST_PATH = 4095;
  private static final int MOST_CPUS = 4096;
  private static final int MOST_SAMPLES = 1_000_000;

  /**
   * Also takes what JSON leaves out.
   *
   * @throws IllegalArgumentException saying which field is wrong and how it should be
   */
  @SuppressWarnings("NullAway") // JSON may leave fields out
  public UpgradeRequest {
    node = node == null ? "" : node;
    image = image == null ? "" : image;
    initrd = initrd == null ? "" : initrd;
    cpus = cpus == null ? List.of() : cpus;
    buses = buses == null ? List.of() : buses;
    faults = faults == null ? List.of() : faults;
    rehearse = rehearse != null && rehearse;
    measureLink = measureLink == null ? 0 : measureLink;
    require(isName(node), "node", "is a name of letters, digits, '.', '_' and '-', at most 64");
    requirePath(image, "image");
    requirePath(initrd, "initrd");
    require(
        cpus.stream().allMatch(cpu -> cpu != null && cpu >= 0 && cpu < MOST_CPUS)
            && cpus.stream().distinct().count() == cpus.size(),
        "cpus",
        "are different numbers from 0 to " + (MOST_CPUS - 1));
    require(
        buses.stream().allMatch(bus -> bus != null && BUS.matcher(bus).matches())
            && buses.stream().distinct().count() == buses.size(),
        "buses",
        "are different PCI buses such as 0000:82");
    require(
        measureLink >= 0 && measureLink <= MOST_SAMPLES,
        "measure_link",
        "is a number from 0 to " + MOST_SAMPLES);
    require(
        faults.stream().allMatch(fault -> fault != null && isFault(fault)),
        "faults",
        "are twin-hangs, restore-fails, or as a-fails@freeze: a-fails, a-dies, b-fails, b-dies,"
            + " b-hangs or b-panics at a step of the switch");
    require(
        until == null || until.isPhase(),
        "until",
        "is one of plan, prepare, boot, precopy, switch, absorb");
    cpus = List.copyOf(cpus);
    buses = List.copyOf(buses);
    faults = List.copyOf(faults);
  }

  /** Whether a node may have that name. */
  public static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /** Whether brokers know a fault of that name. */
  public static boolean isFault(String name) {
    return FAULT.matcher(name).matches();
  }

  /** As arguments of the verb {@code plan}. */
  Map<String, Object> arguments() {
    var map = new LinkedHashMap<String, Object>();
    map.put("image", image);
    map.put("initrd", initrd);
    map.put("cpus", cpus);
    map.put("buses", buses);
    map.put("faults", faults);
    map.put("rehearse", rehearse);
    map.put("measure_link", measureLink);
    return map;
  }

  private static void requirePath(String path, String field) {
    require(
        path.startsWith("/")
            && path.length() <= LONGEST_PATH
            && path.chars().noneMatch(Character::isISOControl)
            && !path.contains("/../"),
        field,
        "is an absolute path on the node without '..', at most " + LONGEST_PATH + " characters");
  }

  private static void require(boolean holds, String field, String rule) {
    if (!holds) {
      throw new IllegalArgumentException("'" + field + "' " + rule);
    }
  }
}
