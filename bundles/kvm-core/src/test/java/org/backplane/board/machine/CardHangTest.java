package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine.State;
import org.backplane.kvm.spi.device.RevokedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cards that do not come back (contract 12): slot p hangs, slot q at port 600 shows that the guest goes on and what it does. */
@Timeout(60)
class CardHangTest {
    private static final String LIMIT = "card-limit=400";

    /** again: inc al; mov dx,500; out dx,al; mov dx,600; out dx,al; jmp again. */
    private static final String COUNT = "fec0 ba0005 ee ba0006 ee ebf4";

    private final BoardRig rig = new BoardRig();
    private final ProbeCard probe = new ProbeCard();
    private final List<Long> seen = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch release = new CountDownLatch(1);
    private final AtomicReference<Thread> stuck = new AtomicReference<>();

    @AfterEach
    void close() {
        release.countDown();
        rig.close();
    }

    /** Makes the machine; what a write to p does is the test's. */
    private PcMachine machine(String program, Consumer<ProbeCard.Probe> onWrite, String... options) throws BoardException {
        rig.cards.device(probe, "1.0.0");
        probe.onWrite = p -> {
            if (p.context.slot().equals("p")) onWrite.accept(p);
            else if (seen.size() < 10_000) seen.add(p.value);
        };
        String[] all = new String[options.length + 2];
        System.arraycopy(options, 0, all, 2, options.length);
        all[0] = LIMIT;
        all[1] = "device=probe,id=p,window=0xa0000";
        PcMachine m = rig.machine(program, all);
        m.plug("probe", "q", Map.of("regs", "0x600", "irq", "6"));
        m.start();
        return m;
    }

    private void awaitMore() throws InterruptedException {
        int before = seen.size();
        BoardRig.await("the guest goes on", () -> seen.size() > before + 100 || seen.size() == 10_000);
    }

    private void awaitUnplugged(PcMachine m) throws InterruptedException {
        BoardRig.await("slot p is unplugged", () -> !rig.has("p"));
        assertEquals(State.RUNNING, m.state());
        String report = m.cardReports().getLast().what();
        assertEquals("p", m.cardReports().getLast().slot());
        assertTrue(report.startsWith("hangs: ") && report.contains("400 ms") && report.endsWith("is unplugged"), report);
    }

    private void hang() {
        stuck.set(Thread.currentThread());
        boolean waiting = true;
        while (waiting) {
            try {
                release.await();
                waiting = false;
            } catch (InterruptedException e) {
                // A card that does not care.
            }
        }
    }

    private static void loopForEver() {
        long n = 0;
        while (n >= 0) n = n + 1 & 0xff;
    }

    @Test
    void aHandlerThatLoopsForEverIsUnpluggedAndTheGuestMissesNothing() throws Exception {
        PcMachine m = machine(COUNT, p -> {
            if (seen.size() > 300) loopForEver();
        });
        awaitUnplugged(m);
        awaitMore();
        m.pause();
        for (int i = 1; i < seen.size(); i++) assertEquals(seen.get(i - 1) + 1 & 0xff, seen.get(i), "write " + i);
    }

    /** mov cx,64; mov si,f000; mov dx,500; rep outs from cs; mov dx,600; mov al,cl; out dx,al; mov al,99; out dx,al; again: out dx,al; jmp again. */
    @Test
    void aStringInstructionGoesOnWithTheNextElement() throws Exception {
        List<Long> written = Collections.synchronizedList(new ArrayList<>());
        PcMachine m = machine("b94000 be00f0 ba0005 2ef36e ba0006 88c8 ee 89f0 ee b099 ee ebfd", p -> {
            written.add(p.value);
            if (written.size() == 20) hang();
        });
        awaitUnplugged(m);
        awaitMore();
        assertEquals(20, written.size());
        assertEquals(List.of(0L, 0x40L, 0x99L), new ArrayList<>(seen).subList(0, 3), "CX, then SI, after the instruction");
    }

    /** mov ax,a000; mov ds,ax; mov al,5; mov byte [0],33; add [0],al; mov dx,600; out dx,al; mov al,[0]; again: out dx,al; jmp again. */
    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void anAccessToDeviceMemoryFloats(String mmu) throws Exception {
        AtomicBoolean first = new AtomicBoolean(true);
        PcMachine m = machine("b800a0 8ed8 b005 66c706000033000000 660006 0000 ba0006 ee a00000 ee ebfd", p -> {
            if (first.getAndSet(false)) hang();
        }, "mmu=" + mmu);
        awaitUnplugged(m);
        awaitMore();
        assertEquals(List.of(5L, 0xffL), new ArrayList<>(seen).subList(0, 2));
    }

    @Test
    void aTimerThatHangsIsUnplugged() throws Exception {
        probe.onAttach = p -> {
            if (!p.context.slot().equals("p")) return;
            var timer = p.context.timer("t", this::hang);
            probe.onReset = q -> {
                if (q == p) timer.arm(q.context.clock().nanos() + 1_000_000);
            };
        };
        PcMachine m = machine(COUNT, p -> {});
        awaitUnplugged(m);
        awaitMore();
    }

    @Test
    void aPostedTaskThatHangsIsUnplugged() throws Exception {
        AtomicBoolean first = new AtomicBoolean(true);
        PcMachine m = machine(COUNT, p -> {
            if (first.getAndSet(false)) p.context.post(this::hang);
        });
        awaitUnplugged(m);
        awaitMore();
    }

    @Test
    void theLostThreadEndsWhenItsCardComesBackAndTheGuestNeverNotices() throws Exception {
        AtomicReference<RuntimeException> late = new AtomicReference<>();
        PcMachine m = machine(COUNT, p -> {
            if (seen.size() != 300) return;
            hang();
            try {
                p.irq.set(true);
            } catch (RuntimeException e) {
                late.set(e);
                throw e;
            }
        });
        awaitUnplugged(m);
        awaitMore();
        assertTrue(stuck.get().isAlive());
        release.countDown();
        stuck.get().join(5000);
        assertFalse(stuck.get().isAlive());
        assertTrue(late.get() instanceof RevokedException, () -> "" + late.get());
        awaitMore();
        m.pause();
        for (int i = 1; i < seen.size(); i++) assertEquals(seen.get(i - 1) + 1 & 0xff, seen.get(i), "write " + i);
    }

    @Test
    void anotherCardMayTakeTheSlotAfterwards() throws Exception {
        AtomicBoolean first = new AtomicBoolean(true);
        PcMachine m = machine(COUNT, p -> {
            if (first.getAndSet(false)) hang();
        });
        awaitUnplugged(m);
        m.plug("probe", "p", Map.of());
        ProbeCard.Probe again = probe.last();
        BoardRig.await("the guest writes to it", () -> again.value != 0);
    }

    // ---- outside of the guest's time ----

    private String refusedSwap(PcMachine m, ProbeCard next) {
        rig.cards.device(next, "2.0.0");
        String message = assertThrows(BoardException.class, () -> m.swap("p", "probe@2.0.0")).getMessage();
        assertEquals("1.0.0", rig.slot("p").version());
        assertTrue(message.contains("slot p") && message.contains("400 ms"), message);
        return message;
    }

    @Test
    void anAttachThatHangsLeavesTheOldCardInService() throws Exception {
        PcMachine m = machine(COUNT, p -> {});
        ProbeCard next = new ProbeCard();
        next.onAttach = p -> hang();
        String message = refusedSwap(m, next);
        assertTrue(message.contains("probe@2.0.0") && message.contains("attach"), message);
        awaitMore();
    }

    @Test
    void aLoadThatHangsLeavesTheOldCardInService() throws Exception {
        PcMachine m = machine(COUNT, p -> {});
        ProbeCard next = new ProbeCard();
        next.onLoad = p -> hang();
        String message = refusedSwap(m, next);
        assertTrue(message.contains("probe@2.0.0") && message.contains("probe@1.0.0") && message.contains("load"), message);
        awaitMore();
    }

    @Test
    void aSaveThatHangsLeavesTheOldCardInService() throws Exception {
        PcMachine m = machine(COUNT, p -> {});
        probe.onSave = p -> hang();
        String message = refusedSwap(m, new ProbeCard());
        assertTrue(message.contains("probe@2.0.0") && message.contains("probe@1.0.0") && message.contains("save"), message);
        awaitMore();
        release.countDown();
    }

    @Test
    void aCardWhoseResetHangsIsUnplugged() throws Exception {
        PcMachine m = machine(COUNT, p -> {});
        probe.onReset = p -> {
            if (p.context.slot().equals("p")) hang();
        };
        m.reset();
        awaitUnplugged(m);
        awaitMore();
    }

    @Test
    void aMachineThatHasEndedStillAnswers() throws Exception {
        PcMachine m = machine(COUNT, p -> {});
        m.stop();
        rig.end();
        assertEquals(List.of(), m.screenText());
        assertEquals(List.of(), m.cardReports());
    }

    @Test
    void withoutALimitNobodyIsCutOff() throws Exception {
        rig.cards.device(probe, "1.0.0");
        probe.onWrite = p -> hang();
        PcMachine m = rig.machine("ba0005 ee ebfd", "card-limit=0", "device=probe,id=p");
        m.start();
        BoardRig.await("the card hangs", () -> stuck.get() != null);
        Thread.sleep(500);
        assertEquals(List.of(), m.cardReports());
        release.countDown();
        assertTrue(rig.has("p"));
    }
}
