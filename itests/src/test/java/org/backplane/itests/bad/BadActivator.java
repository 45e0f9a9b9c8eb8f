package org.backplane.itests.bad;

import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Registers the card whose class, type and wish ({@link DeviceFactory#PLUG}) the manifest names. */
public final class BadActivator implements BundleActivator {
    @Override
    public void start(BundleContext context) {
        Bundle bundle = context.getBundle();
        Dictionary<String, Object> properties = new Hashtable<>();
        String wish = bundle.getHeaders().get("Card-Plug");
        if (wish != null) properties.put(DeviceFactory.PLUG, wish);
        context.registerService(DeviceFactory.class, new Factory(bundle), properties);
    }

    @Override
    public void stop(BundleContext context) {
        // The framework takes the service back.
    }

    private record Factory(Bundle bundle) implements DeviceFactory {
        @Override
        public String type() {
            return bundle.getHeaders().get("Card-Type");
        }

        @Override
        public String description() {
            return "a card of the tests";
        }

        @Override
        public List<Resource> resources() {
            return List.of(Resource.ports("port", 0x5e0, 1), new Resource(Resource.Kind.MMIO, "window", -1, 4096), Resource.irq("irq", 5));
        }

        @Override
        public Device create() {
            String name = bundle.getHeaders().get("Card-Class");
            if (name.isEmpty()) return null;
            try {
                return (Device) bundle.loadClass(name).getConstructor().newInstance();
            } catch (ReflectiveOperationException e) {
                if (e.getCause() instanceof Error error) throw error;
                throw new IllegalStateException(e);
            }
        }
    }
}
