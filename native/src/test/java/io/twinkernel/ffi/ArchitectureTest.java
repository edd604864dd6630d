package io.twinkernel.ffi;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import org.junit.jupiter.api.Test;

/** Three layers: generated, call with errno, typed façade; and one door to native code. */
final class ArchitectureTest {
  private static final String BINDINGS = "io.twinkernel.ffi.bindings";
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.twinkernel");

  @Test
  void onlyNativeCallLinksNativeCode() {
    noClasses()
        .that(not(resideInAPackage(BINDINGS)).and(not(partOf(NativeCall.class))))
        .should()
        .dependOnClassesThat(
            partOf(Linker.class).or(partOf(SymbolLookup.class)).or(partOf(Linux.syscall.class)))
        .check(CLASSES);
  }

  @Test
  void theBindingsKnowNobody() {
    noClasses()
        .that()
        .resideInAPackage(BINDINGS)
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.twinkernel.ffi")
        .check(CLASSES);
  }

  @Test
  void theJdkAlone() {
    classes()
        .that()
        .resideInAPackage("io.twinkernel.ffi..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("io.twinkernel.ffi..", "java..", "org.jspecify..")
        .check(CLASSES);
  }

  private static DescribedPredicate<JavaClass> partOf(Class<?> outer) {
    return DescribedPredicate.describe(
        "part of " + outer.getSimpleName(),
        type ->
            type.getName().equals(outer.getName())
                || type.getName().startsWith(outer.getName() + "$"));
  }
}
