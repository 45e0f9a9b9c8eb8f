package org.backplane.itests.gdb;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.EnabledIf;

/** Needs the gdb of the system; skipped where it is not. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@EnabledIf(value = "org.backplane.itests.gdb.Gdb#present", disabledReason = "gdb is not installed")
public @interface NeedsGdb {}
