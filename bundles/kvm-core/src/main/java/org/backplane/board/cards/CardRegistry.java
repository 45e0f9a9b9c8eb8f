package org.backplane.board.cards;

import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.backplane.board.cards.Card.Kind;
import org.backplane.kvm.core.vm.KvmVm.ForeignHandler;
import org.backplane.kvm.spi.CardFactory;
import org.backplane.kvm.spi.boot.BootLoader;
import org.backplane.kvm.spi.boot.BuiltInImage;
import org.backplane.kvm.spi.boot.Firmware;
import org.backplane.kvm.spi.cpu.CpuBackendFactory;
import org.backplane.kvm.spi.cpu.EmulatorFactory;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.exit.ExitHandler;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.Version;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All cards that are in service now: the one class that OSGi binds them to and unbinds them from. It makes requests of its listeners (the
 * machines) and never touches a route.
 *
 * <p><b>Guarantees.</b> {@link Listener#removed} returns before the card's bundle goes on stopping, so that a machine can take what it needs
 * from the old code.
 *
 * <p><b>Threading.</b> Any thread.
 */
@Component(service = CardRegistry.class)
public final class CardRegistry {
    /** Told about cards that come and go. */
    public interface Listener {
        void added(Card card);

        void removed(Card card);

        void exitHandlersChanged(List<ForeignHandler> handlers);
    }

    private static final Logger LOG = LoggerFactory.getLogger(CardRegistry.class);

    private final Map<ServiceReference<?>, Card> cards = new ConcurrentHashMap<>();
    private final Map<ServiceReference<?>, ForeignHandler> handlers = new ConcurrentHashMap<>();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();

    public void addListener(Listener l) {
        listeners.add(l);
    }

    public void removeListener(Listener l) {
        listeners.remove(l);
    }

    /** All cards, by kind, type, and newest version first. */
    public List<Card> all() {
        return cards.values().stream()
                .sorted(Comparator.comparing(Card::kind).thenComparing(Card::type).thenComparing(NEWEST_FIRST))
                .toList();
    }

    private static final Comparator<Card> NEWEST_FIRST = Comparator.comparing((Card c) -> Version.parseVersion(c.version()))
            .thenComparing(Card::bundleId)
            .reversed();

    /** Cards of a kind and type, newest version first. */
    public Stream<Card> find(Kind kind, String type) {
        return cards.values().stream()
                .filter(c -> c.kind() == kind && c.type().equals(type))
                .sorted(NEWEST_FIRST);
    }

    public Optional<Card> newest(Kind kind, String type) {
        return find(kind, type).findFirst();
    }

    /** Is this very card still in service? */
    public boolean contains(Card card) {
        return cards.containsValue(card);
    }

    public List<ForeignHandler> exitHandlers() {
        return List.copyOf(handlers.values());
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addDevice(ServiceReference<DeviceFactory> ref, DeviceFactory f) {
        add(Kind.DEVICE, ref, f);
    }

    void removeDevice(ServiceReference<DeviceFactory> ref) {
        remove(ref);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addMmu(ServiceReference<MmuFactory> ref, MmuFactory f) {
        add(Kind.MMU, ref, f);
    }

    void removeMmu(ServiceReference<MmuFactory> ref) {
        remove(ref);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addEmulator(ServiceReference<EmulatorFactory> ref, EmulatorFactory f) {
        add(Kind.EMULATOR, ref, f);
    }

    void removeEmulator(ServiceReference<EmulatorFactory> ref) {
        remove(ref);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addBackend(ServiceReference<CpuBackendFactory> ref, CpuBackendFactory f) {
        add(Kind.CPU_BACKEND, ref, f);
    }

    void removeBackend(ServiceReference<CpuBackendFactory> ref) {
        remove(ref);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addFirmware(ServiceReference<Firmware> ref, Firmware f) {
        add(Kind.FIRMWARE, ref, f);
    }

    void removeFirmware(ServiceReference<Firmware> ref) {
        remove(ref);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addLoader(ServiceReference<BootLoader> ref, BootLoader f) {
        add(Kind.LOADER, ref, f);
    }

    void removeLoader(ServiceReference<BootLoader> ref) {
        remove(ref);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addImage(ServiceReference<BuiltInImage> ref, BuiltInImage f) {
        add(Kind.IMAGE, ref, f);
    }

    void removeImage(ServiceReference<BuiltInImage> ref) {
        remove(ref);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addExitHandler(ServiceReference<ExitHandler> ref, ExitHandler h) {
        BitSet reasons = new BitSet();
        Object property = ref.getProperty(ExitHandler.REASONS);
        if (property instanceof Integer i) reasons.set(i);
        if (property instanceof int[] many) for (int i : many) reasons.set(i);
        handlers.put(ref, new ForeignHandler(h, reasons));
        handlersChanged();
    }

    void removeExitHandler(ServiceReference<ExitHandler> ref) {
        handlers.remove(ref);
        handlersChanged();
    }

    private void handlersChanged() {
        tell(l -> l.exitHandlersChanged(exitHandlers()));
    }

    private void add(Kind kind, ServiceReference<?> ref, CardFactory factory) {
        Bundle b = ref.getBundle();
        Card card = new Card(kind, factory, b.getSymbolicName(), b.getVersion().toString(), b.getBundleId());
        cards.put(ref, card);
        tell(l -> l.added(card));
    }

    private void remove(ServiceReference<?> ref) {
        Card card = cards.remove(ref);
        if (card != null) tell(l -> l.removed(card));
    }

    /** A listener that fails does not keep the news from the others. */
    private void tell(Consumer<Listener> news) {
        for (Listener l : listeners) {
            try {
                news.accept(l);
            } catch (RuntimeException e) {
                LOG.error("a machine could not follow a change of cards", e);
            }
        }
    }
}
