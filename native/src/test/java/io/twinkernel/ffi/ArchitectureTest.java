package io.twinkernel.ffi;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleName;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Three layers: generated, call with errno, typed façade; and one door to native code. */
final class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.twinkernel");

  @Test
  void onlyNativeCallLinksNativeCode() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(NativeCall.class.getName())
        .and(not(inNestedClassOf(NativeCall.class)))
        .and()
        .resideOutsideOfPackage("io.twinkernel.ffi.bindings")
        .should()
        .dependOnClassesThat(
            resideInAPackage("java.lang.foreign")
                .and(simpleName("Linker").or(simpleName("SymbolLookup")).or(simpleName("Option"))))
        .check(CLASSES);
  }

  @Test
  void theBindingsKnowNobody() {
    noClasses()
        .that()
        .resideInAPackage("io.twinkernel.ffi.bindings")
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

  private static DescribedPredicate<JavaClass> inNestedClassOf(Class<?> outer) {
    return DescribedPredicate.describe(
        "nested in " + outer.getSimpleName(),
        type -> type.getName().startsWith(outer.getName() + "$"));
  }
}
