package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a card writes to guest memory. */
@Timeout(60)
class DmaTest {
    /** mov dx,500; out dx,al; hlt. */
    private static final String TRIGGER = "ba0005 ee f4";

    private static final long ROM = 0xffff_f100L, RAM = 0x1ffe;

    private final BoardRig rig = new BoardRig();
    private final ProbeCard probe = new ProbeCard();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void aWriteToARomIsDroppedAndOneToMemoryIsNot() throws Exception {
        byte[] bytes = {1, 2, 3, 4}, before = new byte[4], after = new byte[4];
        rig.cards.device(probe, "1.0.0");
        boolean[] done = {false};
        probe.onWrite = p -> {
            p.context.memory().read(ROM, before, 0, 4);
            p.context.memory().write(ROM, bytes, 0, 4);
            p.context.memory().read(ROM, after, 0, 4);
            p.context.memory().write(RAM, bytes, 0, 4);
            done[0] = true;
        };
        PcMachine m = rig.machine(TRIGGER, "device=probe,id=p");
        m.start();
        BoardRig.await("the card writes", () -> done[0]);
        assertNotEquals(bytes[0], before[0]);
        assertArrayEquals(before, after);
        assertArrayEquals(before, m.readPhysical(ROM, 4));
        assertArrayEquals(bytes, m.readPhysical(RAM, 4));
    }
}
