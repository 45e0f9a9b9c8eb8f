package org.backplane.kvm.spi.device;

import java.io.IOException;
import org.osgi.annotation.versioning.ProviderType;

/** A block back end. Offsets and lengths are in bytes and may be any. */
@ProviderType
public interface BlockPort {
    long size();

    boolean readOnly();

    void read(long position, byte[] to, int offset, int length) throws IOException;

    void write(long position, byte[] from, int offset, int length) throws IOException;

    void flush() throws IOException;

    /** Counts up when the medium is changed. */
    int generation();
}
