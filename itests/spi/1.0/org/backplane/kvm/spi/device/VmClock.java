package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ProviderType;
@ProviderType
public interface VmClock {
    long nanos();
    long wallBaseMillis();
    default long ticks(long hz) {
        long now = nanos();
        return now / 1_000_000_000L * hz + now % 1_000_000_000L * hz / 1_000_000_000L;
    }
    static long nanosOf(long ticks, long hz) {
        return ticks / hz * 1_000_000_000L + (ticks % hz * 1_000_000_000L + hz - 1) / hz;
    }
}
