package org.backplane.kvm.spi.device;
import org.osgi.annotation.versioning.ConsumerType;
@ConsumerType
public interface DisplaySource {
    Frame render();
    String[] text();
    record Frame(int width, int height, int[] pixels) {}
}
