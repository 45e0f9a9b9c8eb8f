package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machine.State;
import org.backplane.board.api.Machine.SwapReport;
import org.backplane.board.cards.TestCards.TestBundle;
import org.backplane.directmmu.DirectMmuFactory;
import org.backplane.kvm.spi.device.DeviceFactory.Property;
import org.backplane.kvm.spi.device.InterruptController;
import org.backplane.kvm.spi.device.VmTimer;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuContext;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How cards come, go, fail and are replaced, against a real CPU and cards made for the purpose (contracts 10 to 12). */
@Timeout(60)
class CardLifeTest {
    /** mov dx,500; again: inc al; out dx,al; jmp again. */
    private static final String COUNT = "ba0005 fec0 ee ebfb";

    private final BoardRig rig = new BoardRig();
    private final ProbeCard probe = new ProbeCard();

    @AfterEach
    void close() {
        rig.close();
    }

    private PcMachine counting(TestBundle[] bundle) throws BoardException {
        bundle[0] = rig.cards.device(probe, "1.0.0");
        PcMachine m = rig.machine(COUNT, "device=probe,id=p");
        m.start();
        return m;
    }

    private void awaitWrites(ProbeCard card) throws InterruptedException {
        awaitWrites(card.last());
    }

    private void awaitWrites(ProbeCard.Probe device) throws InterruptedException {
        long before = device.value;
        BoardRig.await("the guest writes", () -> device.value != before);
    }

    // ---- a bundle stops ----

    @Test
    void aCardThatIsAwayDuringAResetComesBackFromPowerOn() throws Exception {
        TestBundle[] bundle = new TestBundle[1];
        PcMachine m = counting(bundle);
        awaitWrites(probe);
        bundle[0].stop();
        assertEquals(State.WAITING, m.state());
        assertEquals("parked", rig.slot("p").state());
        m.reset();
        ProbeCard next = new ProbeCard();
        long[] loaded = {0};
        next.onLoad = p -> loaded[0]++;
        rig.cards.device(next, "1.0.1");
        assertEquals(State.RUNNING, m.state());
        assertEquals(0, loaded[0], "the state of before the reset is gone");
        awaitWrites(next);
    }

    @Test
    void aCardThatLeavesWithoutItsStateIsWaitedForAllTheSame() throws Exception {
        TestBundle[] bundle = new TestBundle[1];
        PcMachine m = counting(bundle);
        awaitWrites(probe);
        probe.onSave = p -> {
            throw new IllegalStateException("cannot save");
        };
        bundle[0].stop();
        assertEquals(State.WAITING, m.state());
        ProbeCard next = new ProbeCard();
        rig.cards.device(next, "1.0.1");
        assertEquals(State.RUNNING, m.state());
        assertEquals(1, next.last().resets);
        awaitWrites(next);
    }

    @Test
    void theParkedStateIsWhatTheNextCardLoads() throws Exception {
        TestBundle[] bundle = new TestBundle[1];
        PcMachine m = counting(bundle);
        awaitWrites(probe);
        bundle[0].stop();
        long value = probe.last().value;
        ProbeCard next = new ProbeCard();
        AtomicReference<String> parked = new AtomicReference<>(m.cardState("p"));
        rig.cards.device(next, "1.0.1");
        assertTrue(parked.get().contains("value=" + value), parked::get);
        assertEquals(0, next.last().resets);
        assertTrue(probe.last().detached);
    }

    @Test
    void aCpuCardThatFailsLeavesTheMachineWaitingWithTheReason() throws Exception {
        TestBundle[] bundle = new TestBundle[1];
        PcMachine m = counting(bundle);
        awaitWrites(probe);
        rig.emulator.stop();
        assertEquals(State.WAITING, m.state());
        TestBundle broken = rig.cards.emulator(new org.backplane.kvm.spi.cpu.EmulatorFactory() {
            @Override
            public org.backplane.kvm.spi.cpu.Emulator create(org.backplane.kvm.spi.mmu.VmMemory memory) {
                throw new IllegalStateException("no luck");
            }

            @Override
            public long cpuFeatures() {
                return 0;
            }

            @Override
            public String type() {
                return "interpreter";
            }

            @Override
            public String description() {
                return "never works";
            }
        });
        assertEquals(State.WAITING, m.state());
        assertTrue(m.stateDetail().contains("no luck"), m::stateDetail);
        broken.stop();
        rig.cards.emulator(new org.backplane.x86.emulate.InterpreterFactory());
        assertEquals(State.RUNNING, m.state());
        awaitWrites(probe);
    }

    // ---- plugging ----

    @Test
    void aClaimOverMemoryIsRefusedAndLeavesNoSlot() throws Exception {
        TestBundle[] bundle = new TestBundle[1];
        PcMachine m = counting(bundle);
        ProbeCard.Probe first = probe.last();
        String message = assertThrows(BoardException.class, () -> m.plug("probe", "q", Map.of("regs", "0x600", "window", "0x100000")))
                .getMessage();
        assertTrue(message.contains("memory"), message);
        assertFalse(rig.has("q"));
        awaitWrites(first);
    }

    @Test
    void aCardWhoseResetThrowsLeavesNoSlot() throws Exception {
        TestBundle[] bundle = new TestBundle[1];
        PcMachine m = counting(bundle);
        ProbeCard.Probe first = probe.last();
        probe.onReset = p -> {
            throw new IllegalStateException("no reset");
        };
        String message =
                assertThrows(BoardException.class, () -> m.plug("probe", "q", Map.of("regs", "0x600", "irq", "6"))).getMessage();
        assertTrue(message.contains("no reset"), message);
        assertFalse(rig.has("q"));
        awaitWrites(first);
    }

    // ---- swap ----

    @Test
    void aBundleThatStopsWhileItsCardIsPreparedIsNotSwappedIn() throws Exception {
        TestBundle[] bundle = new TestBundle[1];
        PcMachine m = counting(bundle);
        ProbeCard next = new ProbeCard();
        TestBundle[] nextBundle = new TestBundle[1];
        nextBundle[0] = rig.cards.device(next, "2.0.0");
        int[] attached = {0};
        next.onAttach = p -> {
            // The trial came through; the card that is to serve is being made.
            if (++attached[0] == 2) nextBundle[0].stop();
        };
        String message = assertThrows(BoardException.class, () -> m.swap("p", "probe@2.0.0")).getMessage();
        assertTrue(message.contains("has gone meanwhile"), message);
        assertEquals("1.0.0", rig.slot("p").version());
        assertTrue(next.last().detached);
        awaitWrites(probe);
    }

    @Test
    void aRefusedCardLeavesTheServingCardsPropertiesAlone() throws Exception {
        probe.properties.add(new Property("colour", "blue", "of the test"));
        TestBundle[] bundle = new TestBundle[1];
        PcMachine m = counting(bundle);
        ProbeCard next = new ProbeCard();
        next.properties.add(new Property("shape", "round", "of the test"));
        next.onLoad = p -> {
            throw new IllegalStateException("not my state");
        };
        rig.cards.device(next, "2.0.0");
        assertThrows(BoardException.class, () -> m.swap("p", null));
        assertEquals("blue", rig.slot("p").properties().get("colour"));
        assertFalse(rig.slot("p").properties().containsKey("shape"));
        assertEquals("blue", probe.last().context.property("colour"));
    }

    @Test
    void aSwapAskedForInsideACallbackFollowsTheCallback() throws Exception {
        TestBundle[] bundle = new TestBundle[1];
        AtomicReference<SwapReport> report = new AtomicReference<>();
        ProbeCard next = new ProbeCard();
        PcMachine m = counting(bundle);
        rig.cards.device(next, "2.0.0");
        probe.onWrite = p -> {
            if (report.get() != null) return;
            try {
                report.set(m.swap("p", null));
            } catch (BoardException e) {
                throw new IllegalStateException(e);
            }
            assertFalse(p.detached, "still in service as long as its callback runs");
        };
        BoardRig.await("the new card serves", () -> rig.slot("p").version().equals("2.0.0"));
        assertTrue(report.get().pending());
        awaitWrites(next);
    }

    @Test
    void aMachineThatEndsWhileACardIsPreparedRefusesTheSwap() throws Exception {
        TestBundle[] bundle = new TestBundle[1];
        PcMachine m = counting(bundle);
        awaitWrites(probe);
        ProbeCard next = new ProbeCard();
        next.onAttach = p -> m.stop();
        rig.cards.device(next, "2.0.0");
        assertThrows(BoardException.class, () -> m.swap("p", "probe@2.0.0"));
        // Also for cards of the CPU, whose tables would be made in memory that is gone.
        assertThrows(BoardException.class, () -> m.swap("mmu", "shadow"));
        assertThrows(BoardException.class, () -> m.plug("probe", "q", Map.of("regs", "0x600")));
    }

    @Test
    void anMmuIsNotMadeForAMachineThatHasEndedMeanwhile() throws Exception {
        TestBundle[] bundle = new TestBundle[1];
        PcMachine m = counting(bundle);
        awaitWrites(probe);
        MmuFactory right = new DirectMmuFactory();
        rig.cards.mmu(new MmuFactory() {
            @Override
            public Mmu create(MmuContext context) {
                // The rehearsal is where this happens first.
                m.stop();
                return right.create(context);
            }

            @Override
            public String type() {
                return "late";
            }

            @Override
            public String description() {
                return "of a test";
            }
        });
        assertEquals(
                "machine test has ended", assertThrows(BoardException.class, () -> m.swap("mmu", "late")).getMessage());
    }

    // ---- cards that misbehave ----

    @Test
    void anInterruptControllerThatThrowsAgainAndAgainIsUnpluggedAndTheMachineGoesOn() throws Exception {
        probe.onAttach = p -> p.context.provide(InterruptController.class, new InterruptController() {
            @Override
            public void setLine(int gsi, boolean level) {
                throw new IllegalStateException("line");
            }

            @Override
            public boolean pending(int vcpu) {
                throw new IllegalStateException("pending");
            }

            @Override
            public int acknowledge(int vcpu) {
                throw new IllegalStateException("acknowledge");
            }
        });
        TestBundle[] bundle = new TestBundle[1];
        PcMachine m = counting(bundle);
        BoardRig.await("the card is unplugged", () -> !rig.has("p"));
        assertEquals(State.RUNNING, m.state());
        String report = m.cardReports().getLast().what();
        assertTrue(report.contains("more than 16 times") && report.endsWith("unplugged"), report);
        long before = m.cpu(0).gpr[0];
        BoardRig.await("the guest goes on", () -> m.cpu(0).gpr[0] != before);
    }

    @Test
    void anAccessNarrowerThanAnyTheHandlerTakesFloats() throws Exception {
        rig.cards.device(probe, "1.0.0");
        // mov ax,a000; mov ds,ax; mov byte [0],33; mov al,[0]; mov dx,500; out dx,al; jmp $
        PcMachine m = rig.machine("b800a0 8ed8 c606000033 a00000 ba0005 ee ebfe", "device=probe,id=p,window=0xa0000");
        m.start();
        BoardRig.await("the guest has read", () -> probe.last().value == 0xff);
    }

    // ---- time ----

    @Test
    void aTimerThatIsArmedForSoonIsNotKeptWaitingByALaterOne() throws Exception {
        // mov dx,500; out dx,al; again: inc ecx; jmp again
        rig.cards.device(probe, "1.0.0");
        AtomicReference<Long> late = new AtomicReference<>();
        VmTimer[] soon = new VmTimer[1];
        probe.onAttach = p -> {
            VmTimer far = p.context.timer("far", () -> {});
            soon[0] = p.context.timer("soon", () -> late.set(p.context.clock().nanos()));
            probe.onReset = q -> far.arm(q.context.clock().nanos() + 1_000_000_000L);
        };
        probe.onWrite = p -> soon[0].arm(p.context.clock().nanos() + 100);
        PcMachine m = rig.machine("ba0005 ee 6641 ebfc", "device=probe,id=p", "icount=on");
        m.start();
        BoardRig.await("the timer fires", () -> late.get() != null);
        assertTrue(late.get() < 2000, () -> "nanoseconds, one an instruction: " + late.get());
    }

    @Test
    void theLogFileOfAMachineThatCannotBeMadeIsClosed(@org.junit.jupiter.api.io.TempDir java.nio.file.Path dir) throws Exception {
        java.nio.file.Path log = dir.resolve("log");
        assertThrows(BoardException.class, () -> rig.machine(COUNT, "device=nonsense", "d=int", "D=" + log));
        List<String> open;
        try (var fds = java.nio.file.Files.list(java.nio.file.Path.of("/proc/self/fd"))) {
            open = fds.map(CardLifeTest::target).filter(t -> t.endsWith("/log")).toList();
        } catch (java.nio.file.NoSuchFileException e) {
            org.junit.jupiter.api.Assumptions.abort("open files can be listed on Linux only");
            return;
        }
        assertEquals(List.of(), open);
    }

    private static String target(java.nio.file.Path fd) {
        try {
            return java.nio.file.Files.readSymbolicLink(fd).toString();
        } catch (java.io.IOException e) {
            return "";
        }
    }

    @Test
    void aMachineThatEndsTellsHow() throws Exception {
        TestBundle[] bundle = new TestBundle[1];
        PcMachine m = counting(bundle);
        m.stop();
        Machine.End end = rig.end();
        assertEquals(0, end.status());
        assertEquals(State.ENDED, m.state());
    }
}
