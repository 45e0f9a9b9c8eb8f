package org.backplane.itests.guest;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIf;

/** Needs the Debian guests; skipped where they are not. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("guest")
@EnabledIf(
        value = "org.backplane.itests.guest.DebianFiles#present",
        disabledReason = "the Debian guests are not there: scripts/fetch-guests fetches them")
@interface NeedsGuests {}
