package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.RegisterTrace;
import org.backplane.kvm.spi.device.RegisterTraceSource;
import org.backplane.kvm.spi.device.RegisterTraceSource.Listener;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The trace of a card's registers, as the board keeps it. */
@Timeout(60)
class RegisterTraceTest {
    /** mov dx,500; again: inc al; out dx,al; jmp again. The OUT is at F000:F005. */
    private static final String COUNT = "ba0005 fec0 ee ebfb";

    private static final long RIP_OF_OUT = 0xff005;

    private final BoardRig rig = new BoardRig();
    private final Map<ProbeCard.Probe, Listener> listeners = new ConcurrentHashMap<>();
    private final ProbeCard probe = traced("first");

    @AfterEach
    void close() {
        rig.close();
    }

    /** A card that tells about its register. */
    private ProbeCard traced(String fields) {
        ProbeCard c = new ProbeCard();
        c.onAttach = p -> p.context.provide(RegisterTraceSource.class, l -> {
            if (l == null) listeners.remove(p);
            else listeners.put(p, l);
        });
        c.onWrite = p -> {
            Listener l = listeners.get(p);
            if (l != null) l.accessed("value", 8, true, p.value, fields);
        };
        return c;
    }

    private PcMachine counting(ProbeCard card) throws BoardException {
        rig.cards.device(card, "1.0.0");
        PcMachine m = rig.machine(COUNT, "device=probe,id=p");
        m.start();
        return m;
    }

    private static RegisterTrace recorded(PcMachine m, long atLeast) throws Exception {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (m.inspector().registerTrace("p").recorded() < atLeast && System.nanoTime() < deadline) Thread.sleep(5);
        return m.inspector().registerTrace("p");
    }

    @Test
    void everyAccessIsTimedAndHasTheInstructionThatMadeIt() throws Exception {
        PcMachine m = counting(probe);
        assertEquals(RegisterTrace.NONE, m.inspector().registerTrace("p"));
        m.inspector().startRegisterTrace("p");
        RegisterTrace t = recorded(m, 2);
        RegisterTrace.Entry one = t.entries().get(0);
        RegisterTrace.Entry two = t.entries().get(1);
        assertEquals(RIP_OF_OUT, one.rip());
        assertEquals("value first", one.register() + " " + one.fields());
        assertEquals(one.number() + 1, two.number());
        assertEquals(one.value() + 1 & 0xff, two.value());
        assertTrue(two.guestNanos() >= one.guestNanos());
    }

    @Test
    void theRingKeepsTheLastAccesses() throws Exception {
        PcMachine m = counting(probe);
        m.inspector().startRegisterTrace("p");
        RegisterTrace t = recorded(m, RegisterTrace.SIZE + 1);
        assertEquals(RegisterTrace.SIZE, t.entries().size());
        assertEquals(t.recorded(), t.entries().getLast().number());
    }

    @Test
    void offTheCardIsLeftAloneAndTheTraceStays() throws Exception {
        PcMachine m = counting(probe);
        m.inspector().startRegisterTrace("p");
        recorded(m, 1);
        m.inspector().stopRegisterTrace("p");
        assertNull(listeners.get(probe.last()), "the card is told to stop");
        RegisterTrace t = m.inspector().registerTrace("p");
        assertFalse(t.running());
        assertTrue(t.recorded() > 0);
    }

    @Test
    void theTraceGoesOnWithTheCardThatIsSwappedIn() throws Exception {
        PcMachine m = counting(probe);
        rig.cards.device(traced("second"), "2.0.0");
        m.inspector().startRegisterTrace("p");
        recorded(m, 1);
        m.swap("p", null);
        // What comes from here on is the new card's.
        RegisterTrace t = recorded(m, m.inspector().registerTrace("p").recorded() + 1);
        assertEquals("second", t.entries().getLast().fields());
    }

    @Test
    void aCardThatDoesNotTellIsRefusedByName() throws Exception {
        PcMachine m = counting(new ProbeCard());
        String message = assertThrows(BoardException.class, () -> m.inspector().startRegisterTrace("p")).getMessage();
        assertTrue(message.startsWith("slot p: card probe") && message.endsWith("does not tell about its registers"), message);
        assertEquals("there is no slot 'q'", assertThrows(BoardException.class, () -> m.inspector().startRegisterTrace("q")).getMessage());
    }
}
