package io.twinkernel.control;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
  private static final JavaClasses CODE =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.twinkernel.control");

  @Test
  void onlyVertxJacksonPicocliAndTheJdkAreUsed() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.twinkernel.control..",
            "java..",
            "io.vertx..",
            "com.fasterxml.jackson..",
            "picocli..",
            "org.jspecify.annotations..")
        .check(CODE);
  }

  @Test
  void insideIsPlainJava() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "io.twinkernel.control.upgrade..",
            "io.twinkernel.control.journal..",
            "io.twinkernel.control.engine..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.vertx..", "picocli..", "java.net..")
        .check(CODE);
  }

  @Test
  void decisionsAreMadeWithoutTheWorld() {
    noClasses()
        .that()
        .resideInAPackage("io.twinkernel.control.upgrade..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "java.io..",
            "java.nio..",
            "java.util.concurrent..",
            "io.twinkernel.control.journal..",
            "io.twinkernel.control.engine..",
            "io.twinkernel.control.broker..",
            "io.twinkernel.control.rest..")
        .check(CODE);
  }

  @Test
  void theCommandLineToolTalksRestOnly() {
    noClasses()
        .that()
        .resideInAPackage("io.twinkernel.control.cli..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.vertx..",
            "io.twinkernel.control.upgrade..",
            "io.twinkernel.control.journal..",
            "io.twinkernel.control.engine..",
            "io.twinkernel.control.broker..",
            "io.twinkernel.control.rest..")
        .check(CODE);
  }
}
