package io.twinkernel.harness.demo;

import java.util.Iterator;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A fault by its label. */
final class FaultConverter implements ITypeConverter<Fault>, Iterable<String> {
  /** One of many. */
  private static final String AT_A_STEP = "b-dies@restore";

  @Override
  public Fault convert(String text) {
    return Fault.of(text)
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "there is no fault "
                        + text
                        + "; there are "
                        + Fault.named()
                        + ", and as "
                        + AT_A_STEP
                        + " a-fails, a-dies, b-fails, b-dies, b-hangs and b-panics at a step of"
                        + " the switch"));
  }

  @Override
  public Iterator<String> iterator() {
    return Stream.concat(Fault.named().stream().map(Fault::label), Stream.of(AT_A_STEP)).iterator();
  }
}
