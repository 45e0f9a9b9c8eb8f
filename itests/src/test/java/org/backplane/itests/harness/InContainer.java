package org.backplane.itests.harness;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The tests of this class run inside a container. Each class gets a fresh one, and its methods share it; each method sees a new instance, and
 * {@code @BeforeAll} and {@code @AfterAll} run around every single method. Parameterized tests work, dynamic tests do not.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(ContainerExtension.class)
public @interface InContainer {}
