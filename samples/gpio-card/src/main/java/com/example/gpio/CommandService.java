package com.example.gpio;

import java.util.Hashtable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;

/**
 * Offers {@link PanelCommands} to the shell while there is a panel. Not always: when two versions of this bundle are installed, as after a
 * swap, the commands have to be those of the version that is in service.
 */
final class CommandService implements Panels.Listener {
    private final BundleContext context;
    private ServiceRegistration<PanelCommands> registration;

    CommandService(BundleContext context) {
        this.context = context;
    }

    @Override
    public void first(Panels panels) {
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put("osgi.command.scope", "panel");
        properties.put("osgi.command.function", new String[] {"show", "press", "hold", "release"});
        registration = context.registerService(PanelCommands.class, new PanelCommands(panels), properties);
    }

    @Override
    public void last() {
        registration.unregister();
    }
}
