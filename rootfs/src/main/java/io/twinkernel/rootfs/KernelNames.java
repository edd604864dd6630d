package io.twinkernel.rootfs;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How Debian names its kernels, and in which release of Debian one of a name is looked for. */
final class KernelNames {
  /** The newest kernel that any release has. */
  static final String NEWEST = "newest";

  private static final Pattern SERIES = Pattern.compile("([0-9]+)\\.([0-9]+)([.+-].*)?");
  private static final Pattern PACKAGE =
      Pattern.compile(
          "linux-(image|headers)-([0-9]+\\.[0-9]+(?:\\.[0-9]|\\+)[0-9A-Za-z.+~-]*amd64)");

  /** What a name ends with where the release proper has another kernel of the same number. */
  private static final Pattern MADE_FOR = Pattern.compile("[+.]deb([0-9]+)");

  private static final Pattern NUMBER = Pattern.compile("[0-9]+");

  private KernelNames() {}

  /** 6.12.9 before 6.12.10: releases differ in their numbers only. */
  static final Comparator<String> BY_NUMBERS =
      (left, right) -> {
        List<Long> a = numbers(left);
        List<Long> b = numbers(right);
        for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
          int order = a.get(i).compareTo(b.get(i));
          if (order != 0) {
            return order;
          }
        }
        return Integer.compare(a.size(), b.size());
      };

  private static List<Long> numbers(String release) {
    return NUMBER.matcher(release).results().map(one -> Long.valueOf(one.group())).toList();
  }

  /** The series of a release or of a series, such as {@code 6.12}; nothing for what is neither. */
  static Optional<String> series(String name) {
    Matcher matcher = SERIES.matcher(name);
    return matcher.matches()
        ? Optional.of(matcher.group(1) + "." + matcher.group(2))
        : Optional.empty();
  }

  /**
   * The releases, of any flavour, that can be booted and built for: an archive keeps images longer
   * than the headers that belong to them.
   *
   * @param packages names, as the index has them
   */
  static List<String> complete(Collection<String> packages) {
    Set<String> all = new HashSet<>(packages);
    return packages.stream()
        .map(PACKAGE::matcher)
        .filter(matcher -> matcher.matches() && matcher.group(1).equals("image"))
        .map(matcher -> matcher.group(2))
        .filter(release -> all.contains("linux-headers-" + release))
        .sorted(BY_NUMBERS)
        .distinct()
        .toList();
  }

  /** The newest release of that name: one that is named in full, or the cloud flavour's. */
  static Optional<String> newest(String name, Collection<String> packages) {
    return complete(packages).stream()
        .filter(
            release ->
                release.equals(name)
                    || (release.endsWith("-cloud-amd64")
                        && (name.equals(NEWEST)
                            || release.matches(Pattern.quote(name) + "[.+-].*"))))
        .max(BY_NUMBERS);
  }

  /** Where to look for a kernel, stable releases first. */
  static List<PackageArchive.Release> suites(String name) throws RootfsException {
    if (name.equals(NEWEST)) {
      return List.of(PackageArchive.Release.TRIXIE, PackageArchive.Release.SID);
    }
    Matcher series = SERIES.matcher(name);
    if (!series.matches()) {
      throw unknown(name, "that is neither a series nor a release");
    }
    Matcher made = MADE_FOR.matcher(name);
    if (made.find()) {
      return List.of(
          switch (made.group(1)) {
            case "11" -> PackageArchive.Release.BULLSEYE;
            case "12" -> PackageArchive.Release.BOOKWORM;
            case "13" -> PackageArchive.Release.TRIXIE;
            default -> PackageArchive.Release.SID;
          });
    }
    int major = Integer.parseInt(series.group(1));
    int minor = Integer.parseInt(series.group(2));
    if (major < 6) {
      return List.of(PackageArchive.Release.BULLSEYE);
    }
    return major == 6 && minor <= 12
        ? List.of(PackageArchive.Release.BOOKWORM)
        : List.of(PackageArchive.Release.TRIXIE, PackageArchive.Release.SID);
  }

  static RootfsException unknown(String name, String why) {
    return new RootfsException(
        RootfsException.Code.UNKNOWN_KERNEL,
        "no kernel " + name,
        why,
        "Name a series (5.10, 6.1, 6.12, 7.2), newest, a release, or your own as BZIMAGE:MODULES.");
  }
}
