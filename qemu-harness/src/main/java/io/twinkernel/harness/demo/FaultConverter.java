package io.twinkernel.harness.demo;

import java.util.Arrays;
import java.util.Iterator;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A fault by its label. */
final class FaultConverter implements ITypeConverter<Fault>, Iterable<String> {

  @Override
  public Fault convert(String text) {
    return Arrays.stream(Fault.values())
        .filter(fault -> fault.label().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "there is no fault "
                        + text
                        + "; there are "
                        + Arrays.toString(Fault.values())));
  }

  @Override
  public Iterator<String> iterator() {
    return Arrays.stream(Fault.values()).map(Fault::label).iterator();
  }
}
