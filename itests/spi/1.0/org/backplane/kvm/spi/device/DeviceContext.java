package org.backplane.kvm.spi.device;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;
@ProviderType
public interface DeviceContext {
    String slot();
    String property(String name);
    long place(String resource);
    void claimPorts(String name, int sizes, IoHandler handler);
    void claimMmio(String name, int sizes, IoHandler handler);
    IrqLine irq(String name);
    DmaLine dma(String name);
    DmaMemory memory();
    VmClock clock();
    VmTimer timer(String name, Runnable callback);
    CharPort character(String name);
    Optional<BlockPort> block(String name);
    <T> void provide(Class<T> facet, T implementation);
    Platform platform();
    void post(Runnable task);
    void log(String message);
}
