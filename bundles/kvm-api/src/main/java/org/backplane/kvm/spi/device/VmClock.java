package org.backplane.kvm.spi.device;

import org.osgi.annotation.versioning.ProviderType;

/** The virtual clock of a VM: host time less the pauses, or the instruction count. */
@ProviderType
public interface VmClock {
    /** Nanoseconds since the VM was created; never goes back. */
    long nanos();

    /** Wall-clock time of virtual time 0, in milliseconds since 1970-01-01 UTC ({@code -rtc base=}). */
    long wallBaseMillis();

    /** Ticks of a clock of {@code hz} since virtual time 0, without drift: {@code floor(nanos * hz / 1e9)}. */
    default long ticks(long hz) {
        long now = nanos();
        return now / 1_000_000_000L * hz + now % 1_000_000_000L * hz / 1_000_000_000L;
    }

    /** The earliest virtual time at which a clock of {@code hz} has made {@code ticks} ticks. */
    static long nanosOf(long ticks, long hz) {
        return ticks / hz * 1_000_000_000L + (ticks % hz * 1_000_000_000L + hz - 1) / hz;
    }
}
