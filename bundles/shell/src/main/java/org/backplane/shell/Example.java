package org.backplane.shell;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Examples of a command, for its help: each a command line, then what it does, with {@code " -- "} between. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@interface Example {
    String[] value();
}
