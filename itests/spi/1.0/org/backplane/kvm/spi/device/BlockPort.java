package org.backplane.kvm.spi.device;
import java.io.IOException;
import org.osgi.annotation.versioning.ProviderType;
@ProviderType
public interface BlockPort {
    long size();
    boolean readOnly();
    void read(long position, byte[] to, int offset, int length) throws IOException;
    void write(long position, byte[] from, int offset, int length) throws IOException;
    void flush() throws IOException;
    int generation();
}
