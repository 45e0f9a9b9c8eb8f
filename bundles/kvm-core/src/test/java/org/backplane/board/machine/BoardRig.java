package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machine.SlotInfo;
import org.backplane.board.cards.TestCards;
import org.backplane.board.cards.TestCards.TestBundle;
import org.backplane.directmmu.DirectMmuFactory;
import org.backplane.shadowmmu.ShadowMmuFactory;
import org.backplane.vmx.VmxFactory;
import org.backplane.x86.emulate.InterpreterFactory;

/** A board without a container: the CPU's cards, a ROM with a program in real mode, and the cards that a test brings. */
final class BoardRig implements AutoCloseable {
    final TestCards cards = new TestCards();
    final TestBundle backend = cards.backend(new VmxFactory());
    final TestBundle mmu = cards.mmu(new DirectMmuFactory());
    final TestBundle emulator = cards.emulator(new InterpreterFactory());
    private PcMachine machine;

    BoardRig() {
        cards.mmu(new ShadowMmuFactory());
    }

    /** Makes the machine; the program runs from F000:F000 after a reset. Options are {@code key=value}. */
    PcMachine machine(String program, String... options) throws BoardException {
        byte[] rom = new byte[4096];
        byte[] code = HexFormat.of().parseHex(program.replace(" ", ""));
        System.arraycopy(code, 0, rom, 0, code.length);
        byte[] jump = HexFormat.of().parseHex("ea00f000f0"); // jmp f000:f000
        System.arraycopy(jump, 0, rom, 0xff0, jump.length);
        cards.firmware(rom);
        Map<String, List<String>> config = new HashMap<>();
        config.put("m", List.of("2"));
        for (String o : options) config.put(o.split("=", 2)[0], List.of(o.split("=", 2)[1]));
        machine = new PcMachine("test", config, cards.registry, () -> {});
        return machine;
    }

    SlotInfo slot(String name) {
        return machine.slots().stream().filter(s -> s.slot().equals(name)).findFirst().orElseThrow();
    }

    boolean has(String slot) {
        return machine.slots().stream().anyMatch(s -> s.slot().equals(slot));
    }

    Machine.End end() throws Exception {
        try {
            return machine.ended().get(20, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("the machine goes on: " + machine.state() + " " + machine.stateDetail(), e);
        }
    }

    static void await(String what, BooleanSupplier condition) throws InterruptedException {
        for (int i = 0; i < 2000 && !condition.getAsBoolean(); i++) Thread.sleep(5);
        assertTrue(condition.getAsBoolean(), what);
    }

    @Override
    public void close() {
        if (machine != null) machine.stop();
    }
}
