// SPDX-License-Identifier: Apache-2.0
package org.backplane.deploy;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machine.SlotInfo;
import org.backplane.board.api.MachineFrontEnd;
import org.backplane.board.api.Machines;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plugs the devices of deployed bundles: each type once into every machine, those that are there and those that come later, into a slot of the
 * type's name. What is in a machine already (by {@code -device} or {@code card:plug}) is left alone.
 *
 * <p>A card has a say by the service property {@link DeviceFactory#PLUG}: the properties of its slot, or that it is not to be plugged. One that has
 * places in the address spaces but no usual one for any of them can be plugged only with properties.
 *
 * <p><b>Threading.</b> File Install's threads, and those that create machines; two may come to one machine at once, then the board refuses the second.
 */
@Component(service = {Plugger.class, MachineFrontEnd.class})
public final class Plugger implements MachineFrontEnd {
    private static final Logger LOG = LoggerFactory.getLogger(Deployed.class);
    private static final String ID = "id";

    private final BundleContext context;
    private final Set<Bundle> deployed = ConcurrentHashMap.newKeySet();

    @Activate
    public Plugger(BundleContext context) {
        this.context = context;
    }

    @Override
    public Set<String> options() {
        return Set.of();
    }

    @Override
    public void attach(Machine machine) {
        deployed.removeIf(b -> b.getState() == Bundle.UNINSTALLED);
        for (Bundle b : deployed) each(b, (ref, f) -> plug(b.getSymbolicName(), ref, f, machine));
    }

    /** Plugs the devices of a bundle that has started. */
    void plug(String file, Bundle b, Machines machines) {
        deployed.add(b);
        each(b, (ref, f) -> {
            for (Machine m : machines.list()) plug(file, ref, f, m);
        });
    }

    private interface Action {
        void on(ServiceReference<?> ref, DeviceFactory factory);
    }

    /** The devices that a bundle offers. */
    private void each(Bundle b, Action action) {
        ServiceReference<?>[] refs = b.getRegisteredServices();
        if (refs == null) return;
        for (ServiceReference<?> ref : refs) {
            if (!isDevice(ref) || !(context.getService(ref) instanceof DeviceFactory f)) continue;
            try {
                action.on(ref, f);
            } catch (RuntimeException | LinkageError e) {
                LOG.warn("{}: its card cannot be plugged: {}", b.getSymbolicName(), e.toString());
            } finally {
                context.ungetService(ref);
            }
        }
    }

    private static boolean isDevice(ServiceReference<?> ref) {
        for (String name : (String[]) ref.getProperty("objectClass")) if (name.equals(DeviceFactory.class.getName())) return true;
        return false;
    }

    private static void plug(String file, ServiceReference<?> ref, DeviceFactory f, Machine m) {
        String type = f.type();
        if (m.slots().stream().anyMatch(s -> s.kind().equals("device") && s.type().equals(type))) return;
        Object wish = ref.getProperty(DeviceFactory.PLUG);
        if (wish != null && wish.toString().equals(DeviceFactory.PLUG_NOT)) {
            LOG.info("{}: card {} is not plugged by itself: card:plug {} {}", file, type, m.name(), type);
            return;
        }
        try {
            Map<String, String> properties = properties(wish);
            String slot = properties.containsKey(ID) ? properties.remove(ID) : type;
            if (!hasPlace(f, properties)) {
                LOG.info("{}: card {} has no usual place: card:plug {} {},PLACE=ADDRESS", file, type, m.name(), type);
                return;
            }
            m.plug(type, slot, properties);
            LOG.info("{}: machine {}: {} plugged into slot {}{}", file, m.name(), type, slot, claims(m, slot));
        } catch (BoardException e) {
            LOG.warn("{}: machine {}: {} is not plugged: {}", file, m.name(), type, e.getMessage());
        }
    }

    /** As for {@code -device}, behind the type. */
    private static Map<String, String> properties(Object wish) throws BoardException {
        Map<String, String> all = new LinkedHashMap<>();
        if (wish == null || wish.toString().isBlank()) return all;
        for (String part : wish.toString().split(",")) {
            int equals = part.indexOf('=');
            if (equals <= 0) throw new BoardException(DeviceFactory.PLUG + ": '" + part + "' is not property=value");
            all.put(part.substring(0, equals).strip(), part.substring(equals + 1).strip());
        }
        return all;
    }

    /** A guest can find it: it has a place, or needs none. */
    private static boolean hasPlace(DeviceFactory f, Map<String, String> given) {
        boolean wants = false;
        for (Resource r : f.resources()) {
            if (r.kind() != Resource.Kind.PORTS && r.kind() != Resource.Kind.MMIO) continue;
            wants = true;
            if (r.base() >= 0 || !given.getOrDefault(r.name(), "").isEmpty()) return true;
        }
        return !wants;
    }

    private static String claims(Machine m, String slot) {
        return m.slots().stream()
                .filter(s -> s.slot().equals(slot) && !s.claims().isEmpty())
                .map(SlotInfo::claims)
                .map(c -> " (" + String.join(", ", c) + ")")
                .findFirst()
                .orElse("");
    }
}
