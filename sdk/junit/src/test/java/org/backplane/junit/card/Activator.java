package org.backplane.junit.card;

import org.backplane.kvm.spi.device.DeviceFactory;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Registers the card. */
public final class Activator implements BundleActivator {
    @Override
    public void start(BundleContext context) {
        context.registerService(DeviceFactory.class, new NotebookFactory(), null);
    }

    @Override
    public void stop(BundleContext context) {
        // The framework takes the service back.
    }
}
