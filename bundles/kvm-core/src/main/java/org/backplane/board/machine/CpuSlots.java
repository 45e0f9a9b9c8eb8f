package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.board.api.BoardException;
import org.backplane.board.cards.Card;
import org.backplane.board.cards.Card.Kind;
import org.backplane.board.cards.CardRegistry;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.kvm.spi.cpu.CpuBackendFactory;
import org.backplane.kvm.spi.cpu.EmulatorFactory;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The three slots of the CPU: backend, MMU and emulator. When the bundle of an active one stops, all three leave the VM and the machine waits; it
 * goes on when a card of the wanted type is there again. Their state is {@code CpuState}, so a swap transfers nothing.
 *
 * <p><b>Threading.</b> The machine's thread between two runs.
 */
final class CpuSlots {
    /** Slot names, as in the options. */
    static final Map<Kind, String> NAMES = Map.of(Kind.CPU_BACKEND, "cpu-backend", Kind.MMU, "mmu", Kind.EMULATOR, "emulator");

    private static final Logger LOG = LoggerFactory.getLogger(CpuSlots.class);

    private static final List<Kind> KINDS = List.of(Kind.CPU_BACKEND, Kind.MMU, Kind.EMULATOR);

    private final KvmVm vm;
    private final CardRegistry registry;

    /** The configuration says {@code realmode=unrestricted}. */
    private final boolean unrestricted;

    private final Map<Kind, String> wanted = new EnumMap<>(Kind.class);

    /** Why the cards that are there could not be put in service. */
    private String failure = "";

    /** The cards in service; replaced as a whole, so that a swap can be prepared on another thread. */
    private volatile Map<Kind, Card> active = Map.of();

    CpuSlots(KvmVm vm, CardRegistry registry, MachineConfig config) {
        this.vm = vm;
        this.registry = registry;
        unrestricted = config.realMode.filter(r -> r == RealMode.UNRESTRICTED).isPresent();
        vm.askRealMode(config.realMode.orElse(null));
        wanted.put(Kind.CPU_BACKEND, config.cpuBackend);
        wanted.put(Kind.MMU, config.mmu);
        wanted.put(Kind.EMULATOR, config.emulator);
    }

    /** Checks that a card of each wanted type is there, and that the MMU goes with the real mode that is asked for. */
    void checkAvailable() throws BoardException {
        for (Kind k : KINDS) {
            if (registry.newest(k, wanted.get(k)).isPresent()) continue;
            List<String> known = registry.all().stream().filter(c -> c.kind() == k).map(Card::type).distinct().toList();
            throw new BoardException(NAMES.get(k) + ": there is no card '" + wanted.get(k) + "' (there is: "
                    + (known.isEmpty() ? "none" : String.join(", ", known)) + ")");
        }
        if (!unrestricted) return;
        MmuFactory mmu = (MmuFactory) registry.newest(Kind.MMU, wanted.get(Kind.MMU)).orElseThrow().factory();
        if (vm.kind(mmu) == Mmu.Kind.SHADOW) throw new BoardException("realmode: " + RealMode.NEEDS_EPT);
    }

    static Optional<Kind> kindOf(String slot) {
        return KINDS.stream().filter(k -> NAMES.get(k).equals(slot)).findFirst();
    }

    Card active(Kind kind) {
        return active.get(kind);
    }

    String wanted(Kind kind) {
        return wanted.get(kind);
    }

    List<Kind> kinds() {
        return KINDS;
    }

    /** Why the CPU cannot run, or empty. */
    String missing() {
        if (vm.cpuPresent()) return "";
        List<String> names = new ArrayList<>();
        for (Kind k : KINDS) if (registry.newest(k, wanted.get(k)).isEmpty()) names.add(NAMES.get(k) + " '" + wanted.get(k) + "'");
        if (!names.isEmpty()) return "waiting for card " + String.join(", ", names);
        return "waiting for CPU cards that can be put in service" + (failure.isEmpty() ? "" : ": " + failure);
    }

    /** Installs what is wanted, keeping active cards that are still in service. Does nothing while one is missing. */
    void installIfComplete() {
        Map<Kind, Card> next = new EnumMap<>(Kind.class);
        for (Kind k : KINDS) {
            Card current = active.get(k);
            if (current != null && registry.contains(current)) {
                next.put(k, current);
            } else {
                Optional<Card> c = registry.newest(k, wanted.get(k));
                if (c.isEmpty()) return;
                next.put(k, c.get());
            }
        }
        try {
            install(next);
            failure = "";
        } catch (RuntimeException | LinkageError e) {
            failure = e.toString();
            LOG.error("the CPU's cards cannot be put in service", e);
        }
    }

    /** Tries a swap without doing it; on any thread, while the guest runs. */
    void rehearse(Kind kind, Card card) {
        Map<Kind, Card> next = with(kind, card);
        vm.rehearseCpu(backend(next), mmu(next), emulator(next));
    }

    /** Swaps one of the three. If the new card cannot be made, the old ones serve on. */
    void swap(Kind kind, Card card) {
        install(with(kind, card));
        wanted.put(kind, card.type());
    }

    /** Makes the cards in service anew: a thread was lost inside of what there is. */
    void renew() {
        if (!vm.cpuPresent()) return;
        vm.removeCpu();
        install(active);
    }

    private Map<Kind, Card> with(Kind kind, Card card) {
        Map<Kind, Card> next = new EnumMap<>(Kind.class);
        next.putAll(active);
        next.put(kind, card);
        return next;
    }

    private void install(Map<Kind, Card> next) {
        try {
            vm.installCpu(backend(next), mmu(next), emulator(next));
        } catch (RuntimeException | LinkageError e) {
            // The new cards may have failed only when they took the vCPU over: then the old ones take it back.
            if (!vm.cpuPresent() && active.size() == KINDS.size()) vm.installCpu(backend(active), mmu(active), emulator(active));
            throw e;
        }
        active = Map.copyOf(next);
    }

    private static CpuBackendFactory backend(Map<Kind, Card> cards) {
        return (CpuBackendFactory) cards.get(Kind.CPU_BACKEND).factory();
    }

    private static MmuFactory mmu(Map<Kind, Card> cards) {
        return (MmuFactory) cards.get(Kind.MMU).factory();
    }

    private static EmulatorFactory emulator(Map<Kind, Card> cards) {
        return (EmulatorFactory) cards.get(Kind.EMULATOR).factory();
    }

    /** A card's bundle stops. */
    void removed(Card card) {
        if (!active.containsValue(card)) return;
        vm.removeCpu();
        Map<Kind, Card> left = new EnumMap<>(Kind.class);
        active.forEach((k, c) -> {
            if (c != card) left.put(k, c);
        });
        active = left;
    }
}
