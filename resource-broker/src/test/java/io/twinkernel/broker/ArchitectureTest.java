package io.twinkernel.broker;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** What the broker may use, and which of its packages may use which. */
final class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.twinkernel.broker");

  @Test
  void theJdkTheNativeCallsAndOneJsonParser() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.twinkernel.broker..",
            "io.twinkernel.ffi..",
            "java..",
            "org.jspecify..",
            "com.fasterxml.jackson.core..")
        .check(CLASSES);
  }

  @Test
  void onlyTheControlChannelKnowsJson() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.twinkernel.broker.protocol")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("com.fasterxml..")
        .check(CLASSES);
  }

  @Test
  void mechanismsDoNotKnowTheAgents() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.twinkernel.broker", "io.twinkernel.broker.agent")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.twinkernel.broker.agent")
        .check(CLASSES);
  }

  @Test
  void nothingLinksNativeCodeHere() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.lang.foreign.Linker")
        .check(CLASSES);
  }

  @Test
  void packagesDependInOneDirection() {
    slices().matching("io.twinkernel.broker.(*)..").should().beFreeOfCycles().check(CLASSES);
  }
}
