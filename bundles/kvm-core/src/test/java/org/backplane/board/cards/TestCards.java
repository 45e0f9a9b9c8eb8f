package org.backplane.board.cards;

import java.lang.reflect.Proxy;
import java.util.Map;
import org.backplane.kvm.spi.boot.Firmware;
import org.backplane.kvm.spi.cpu.CpuBackendFactory;
import org.backplane.kvm.spi.cpu.EmulatorFactory;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.Version;

/** A registry without a container: cards are bound as if bundles of a number and version had registered them. */
public final class TestCards {
    private static final long FIRST_BUNDLE = 100;

    public final CardRegistry registry = new CardRegistry();
    private long bundles = FIRST_BUNDLE;

    /** A bundle that registered one card. */
    public interface TestBundle {
        /** It stops. */
        void stop();
    }

    public TestBundle device(DeviceFactory f, String version) {
        ServiceReference<DeviceFactory> ref = reference(version);
        registry.addDevice(ref, f);
        return () -> registry.removeDevice(ref);
    }

    public TestBundle mmu(MmuFactory f) {
        ServiceReference<MmuFactory> ref = reference("1.0.0");
        registry.addMmu(ref, f);
        return () -> registry.removeMmu(ref);
    }

    public TestBundle emulator(EmulatorFactory f) {
        ServiceReference<EmulatorFactory> ref = reference("1.0.0");
        registry.addEmulator(ref, f);
        return () -> registry.removeEmulator(ref);
    }

    public TestBundle backend(CpuBackendFactory f) {
        ServiceReference<CpuBackendFactory> ref = reference("1.0.0");
        registry.addBackend(ref, f);
        return () -> registry.removeBackend(ref);
    }

    public void firmware(byte[] image) {
        registry.addFirmware(reference("1.0.0"), new Firmware() {
            @Override
            public byte[] image() {
                return image;
            }

            @Override
            public String type() {
                return "test-rom";
            }

            @Override
            public String description() {
                return "a program of a test";
            }
        });
    }

    @SuppressWarnings("unchecked")
    private <T> ServiceReference<T> reference(String version) {
        long id = bundles++;
        Bundle bundle = proxy(Bundle.class, Map.of(
                "getSymbolicName", "test.bundle." + id, "getVersion", Version.parseVersion(version), "getBundleId", id));
        return proxy(ServiceReference.class, Map.of("getBundle", bundle));
    }

    /** An object that answers the methods of this map, and is equal to itself only. */
    private static <T> T proxy(Class<T> type, Map<String, Object> answers) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, args) ->
                switch (method.getName()) {
                    case "equals" -> self == args[0];
                    case "hashCode" -> System.identityHashCode(self);
                    default -> answers.get(method.getName());
                }));
    }
}
