package org.backplane.devi8042;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.KeyboardInput;
import org.junit.jupiter.api.Test;

class I8042Test extends DeviceContractTest {
    private static final int DATA = 0x60;
    private static final int COMMAND = 0x64;
    private static final int FULL = 0x01;
    private static final int FROM_MOUSE = 0x20;
    private static final int A = 0x1e;
    private static final int RIGHT_CTRL = 0xe01d;
    private static final int PAUSE = 0xe11d45;

    private final DeviceBench bench = DeviceBench.of(new I8042Factory());

    @Override
    protected DeviceFactory factory() {
        return new I8042Factory();
    }

    /** Half-way through everything: the buffer full, answers and keys waiting, a transfer on the line, parameters awaited. */
    @Override
    protected void exercise(DeviceBench b) {
        b.outb(COMMAND, 0x60);
        b.outb(DATA, 0x47);
        b.outb(COMMAND, 0xd4);
        b.outb(DATA, 0xf4);
        b.facet(KeyboardInput.class).key(A, true);
        b.facet(KeyboardInput.class).key(RIGHT_CTRL, false);
        b.clock().advance(2 * Controller.BYTE_NANOS);
        b.outb(COMMAND, 0x20);
        b.outb(DATA, 0xed);
        b.inb(DATA);
        b.inb(DATA);
        b.outb(COMMAND, 0xd4);
    }

    private boolean key(int key, boolean down) {
        boolean taken = bench.facet(KeyboardInput.class).key(key, down);
        bench.settle();
        return taken;
    }

    /** All that arrives, byte by byte, as a driver that polls reads it. */
    private List<Integer> readAll() {
        List<Integer> bytes = new ArrayList<>();
        for (int idle = 0; idle < 4; idle++) {
            while ((bench.inb(COMMAND) & FULL) != 0) {
                bytes.add(bench.inb(DATA));
                idle = 0;
            }
            bench.clock().advance(Controller.BYTE_NANOS);
        }
        return bytes;
    }

    private List<Integer> toKeyboard(int... bytes) {
        List<Integer> answers = new ArrayList<>();
        for (int b : bytes) {
            bench.outb(DATA, b);
            answers.addAll(readAll());
        }
        return answers;
    }

    private List<Integer> toMouse(int... bytes) {
        List<Integer> answers = new ArrayList<>();
        for (int b : bytes) {
            bench.outb(COMMAND, 0xd4);
            bench.outb(DATA, b);
            answers.addAll(readAll());
        }
        return answers;
    }

    private void commandByte(int v) {
        bench.outb(COMMAND, 0x60);
        bench.outb(DATA, v);
    }

    private static List<Integer> bytes(int... b) {
        return Arrays.stream(b).boxed().toList();
    }

    // ---- the keyboard ----

    @Test
    void translatedKeysArriveInSet1() {
        key(A, true);
        key(A, false);
        assertEquals(bytes(0x1e, 0x9e), readAll());
        key(RIGHT_CTRL, true);
        key(RIGHT_CTRL, false);
        assertEquals(bytes(0xe0, 0x1d, 0xe0, 0x9d), readAll());
        key(PAUSE, true);
        key(PAUSE, false);
        assertEquals(bytes(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5), readAll());
    }

    @Test
    void everyKeyOfTheFirstSetSurvivesTheWayThroughSet2() {
        for (int code = 1; code <= 0x58; code++) {
            if (code >= 0x55 && code <= 0x56) continue;
            key(code, true);
            key(code, false);
            assertEquals(bytes(code, code | 0x80), readAll(), "key " + code);
        }
    }

    @Test
    void untranslatedKeysArriveInSet2() {
        commandByte(0x25);
        key(A, true);
        key(A, false);
        assertEquals(bytes(0x1c, 0xf0, 0x1c), readAll());
        key(0x41, true); // F7
        assertEquals(bytes(0x83), readAll());
        key(0xe048, false); // up
        assertEquals(bytes(0xe0, 0xf0, 0x75), readAll());
        key(0xe037, true); // print screen
        assertEquals(bytes(0xe0, 0x12, 0xe0, 0x7c), readAll());
        key(PAUSE, true);
        assertEquals(bytes(0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77), readAll());
    }

    @Test
    void keyboardSendsTheSetThatWasChosen() {
        commandByte(0x25);
        assertEquals(bytes(0xfa, 0xfa), toKeyboard(0xf0, 1));
        key(A, true);
        key(A, false);
        assertEquals(bytes(0x1e, 0x9e), readAll());
        assertEquals(bytes(0xfa, 0xfa), toKeyboard(0xf0, 3));
        key(A, false);
        key(0x01, true);
        key(0xe05b, true);
        assertEquals(bytes(0xf0, 0x1c, 0x08, 0x8b), readAll());
        assertEquals(bytes(0xfa, 0xfa, 3), toKeyboard(0xf0, 0));
        assertEquals(bytes(0xfa, 0xfe), toKeyboard(0xf0, 4));
        assertEquals(bytes(0xfa), toKeyboard(0xf6));
        assertEquals(bytes(0xfa, 0xfa, 2), toKeyboard(0xf0, 0));
    }

    @Test
    void everyByteHasAnInterruptOfItsOwn() {
        key(A, true);
        key(A, false);
        assertEquals(0, bench.irq("irq").edges(), "a byte takes its time");
        bench.clock().advance(Controller.BYTE_NANOS);
        assertTrue(bench.irq("irq").level());
        assertEquals(0x1e, bench.inb(DATA));
        assertFalse(bench.irq("irq").level());
        assertEquals(0x1e, bench.inb(DATA), "the byte stays readable until the next comes");
        bench.clock().advance(2 * Controller.BYTE_NANOS);
        assertEquals(2, bench.irq("irq").edges());
        assertEquals(0x9e, bench.inb(DATA));
        assertEquals(0, bench.irq("aux-irq").edges());
    }

    @Test
    void interruptFollowsTheCommandByte() {
        commandByte(0x44);
        key(A, true);
        bench.clock().advance(Controller.BYTE_NANOS);
        assertFalse(bench.irq("irq").level());
        commandByte(0x45);
        assertTrue(bench.irq("irq").level());
    }

    @Test
    void fullBufferRefusesAKeyAndLosesNothing() {
        bench.outb(COMMAND, 0xad);
        int taken = 0;
        while (key(A, true)) taken++;
        assertEquals(16, taken);
        bench.outb(COMMAND, 0xae);
        assertEquals(16, readAll().size());
        assertTrue(key(A, true));
    }

    @Test
    void sequenceIsTakenWholeOrNotAtAll() {
        bench.outb(COMMAND, 0xad);
        for (int i = 0; i < 10; i++) key(A, true);
        assertFalse(key(PAUSE, true), "eight bytes do not fit into six");
        assertTrue(key(RIGHT_CTRL, false));
        bench.outb(COMMAND, 0xae);
        assertEquals(12, readAll().size());
    }

    @Test
    void disabledScanningIgnoresKeys() {
        assertEquals(bytes(0xfa), toKeyboard(0xf5));
        assertTrue(key(A, true));
        assertEquals(bytes(), readAll());
        assertEquals(bytes(0xfa), toKeyboard(0xf4));
        key(A, true);
        assertEquals(bytes(0x1e), readAll());
    }

    @Test
    void commandsAreAnswered() {
        assertEquals(bytes(0xee), toKeyboard(0xee));
        assertEquals(bytes(0xfa, 0xab, 0x41), toKeyboard(0xf2), "the identification is translated, too");
        assertEquals(bytes(0xfa, 0xfa), toKeyboard(0xed, 7));
        assertEquals(7L, bench.save().values().get("keyboard.leds"));
        assertEquals(bytes(0xfa, 0xfa), toKeyboard(0xf3, 0));
        assertEquals(bytes(0xfe), toKeyboard(0x12));
        assertEquals(bytes(0xfa, 0xaa), toKeyboard(0xff));
        assertEquals(bytes(0xaa), toKeyboard(0xfe), "resend");
        commandByte(0x25);
        assertEquals(bytes(0xfa, 0xab, 0x83), toKeyboard(0xf2));
    }

    @Test
    void commandInPlaceOfAParameterIsACommand() {
        assertEquals(bytes(0xfa), toKeyboard(0xed));
        assertEquals(bytes(0xfa), toKeyboard(0xf4));
        assertEquals(bytes(0xfe), toKeyboard(0x07), "no parameter is awaited any more");
    }

    @Test
    void answersGoBeforeScanCodes() {
        bench.outb(COMMAND, 0xad);
        key(A, true);
        assertEquals(bytes(0xee, 0x1e), toKeyboard(0xee));
    }

    // ---- the controller ----

    @Test
    void selfTestAnswersAndSwitchesTheLinesOff() {
        bench.outb(COMMAND, 0xaa);
        assertEquals(0x55, bench.inb(DATA));
        bench.outb(COMMAND, 0x20);
        assertEquals(0x30, bench.inb(DATA) & 0x30);
        bench.outb(COMMAND, 0xab);
        assertEquals(0, bench.inb(DATA));
        bench.outb(COMMAND, 0xa9);
        assertEquals(0, bench.inb(DATA));
    }

    @Test
    void commandByteReadsBack() {
        commandByte(0x47);
        bench.outb(COMMAND, 0x20);
        assertEquals(FULL, bench.inb(COMMAND) & (FULL | FROM_MOUSE));
        assertEquals(0x47, bench.inb(DATA));
        bench.outb(COMMAND, 0xa7);
        bench.outb(COMMAND, 0x20);
        assertEquals(0x67, bench.inb(DATA));
        bench.outb(COMMAND, 0x6a);
        bench.outb(DATA, 0x5a);
        bench.outb(COMMAND, 0x2a);
        assertEquals(0x5a, bench.inb(DATA), "RAM of the microcontroller");
    }

    @Test
    void statusTellsCommandFromData() {
        bench.outb(COMMAND, 0xae);
        assertEquals(8, bench.inb(COMMAND) & 8);
        bench.outb(DATA, 0xf4);
        assertEquals(0, bench.inb(COMMAND) & 8);
        assertEquals(0, bench.inb(COMMAND) & 2, "the input buffer is always empty");
    }

    @Test
    void controllerAnswersWaitUntilTheBufferIsRead() {
        key(A, true);
        bench.clock().advance(Controller.BYTE_NANOS);
        bench.outb(COMMAND, 0xc0);
        assertEquals(0x1e, bench.inb(DATA));
        assertEquals(FULL, bench.inb(COMMAND) & FULL);
        assertEquals(0xb0, bench.inb(DATA));
        assertEquals(2, bench.irq("irq").edges());
    }

    @Test
    void byteOnTheLineIsNotLostToAControllerAnswer() {
        key(A, true);
        bench.outb(COMMAND, 0x20);
        bench.clock().advance(Controller.BYTE_NANOS);
        assertEquals(bytes(0x65, 0x1e), readAll());
    }

    @Test
    void loopCommandsFillTheBufferFromEitherSide() {
        commandByte(0x47);
        bench.outb(COMMAND, 0xd3);
        bench.outb(DATA, 0xa5);
        assertTrue(bench.irq("aux-irq").level());
        assertFalse(bench.irq("irq").level());
        assertEquals(FULL | FROM_MOUSE, bench.inb(COMMAND) & (FULL | FROM_MOUSE));
        assertEquals(0xa5, bench.inb(DATA));
        bench.outb(COMMAND, 0xd2);
        bench.outb(DATA, 0x5a);
        assertTrue(bench.irq("irq").level());
        assertEquals(FULL, bench.inb(COMMAND) & (FULL | FROM_MOUSE));
        assertEquals(0x5a, bench.inb(DATA));
    }

    @Test
    void a20IsSwitchedByOutputPortShortcutsAndPort92() {
        bench.outb(COMMAND, 0xd1);
        bench.outb(DATA, 0xdd);
        assertFalse(bench.platform().a20());
        assertEquals(0, bench.inb(0x92) & 2);
        bench.outb(COMMAND, 0xd0);
        assertEquals(0, bench.inb(DATA) & 2);
        bench.outb(0x92, 2);
        assertTrue(bench.platform().a20());
        bench.outb(COMMAND, 0xd0);
        assertEquals(3, bench.inb(DATA) & 3);
        bench.outb(COMMAND, 0xdd);
        assertFalse(bench.platform().a20());
        bench.outb(COMMAND, 0xdf);
        assertTrue(bench.platform().a20());
        bench.outb(COMMAND, 0xff); // Linux: a null command ends the sequence
        assertEquals(List.of(), bench.platform().resets());
    }

    @Test
    void resetIsPulledByPulseOutputPortAndPort92() {
        bench.outb(COMMAND, 0xfe);
        assertEquals(1, bench.platform().resets().size());
        bench.outb(COMMAND, 0xd1);
        bench.outb(DATA, 0xfe);
        assertEquals(2, bench.platform().resets().size());
        bench.outb(0x92, 3);
        assertEquals(3, bench.platform().resets().size());
    }

    // ---- the mouse ----

    @Test
    void mouseAnswersWhatDriversAsk() {
        assertEquals(bytes(0xfa, 0xaa, 0x00), toMouse(0xff));
        assertEquals(bytes(0xfa, 0x00), toMouse(0xf2));
        assertEquals(bytes(0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0x00), toMouse(0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf2), "no wheel");
        assertEquals(bytes(0xfa, 0xfa), toMouse(0xe8, 3));
        assertEquals(bytes(0xfa), toMouse(0xf4));
        assertEquals(bytes(0xfa), toMouse(0xe7));
        assertEquals(bytes(0xfa, 0x30, 0x03, 80), toMouse(0xe9));
        assertEquals(bytes(0xfa, 0x08, 0, 0), toMouse(0xeb));
        assertEquals(bytes(0xfe), toMouse(0xe1));
        assertEquals(bytes(0xfa, 0x12, 0xfa), toMouse(0xee, 0x12, 0xec), "wrap mode echoes");
        assertEquals(bytes(0xfa), toMouse(0xf6));
        assertEquals(bytes(0xfa, 0x00, 0x02, 100), toMouse(0xe9));
        assertEquals(bytes(), toKeyboard(), "nothing went to the keyboard");
    }

    @Test
    void mouseBytesComeOnTheirOwnLine() {
        commandByte(0x47);
        bench.outb(COMMAND, 0xd4);
        bench.outb(DATA, 0xf2);
        bench.clock().advance(Controller.BYTE_NANOS);
        assertTrue(bench.irq("aux-irq").level());
        assertEquals(FULL | FROM_MOUSE, bench.inb(COMMAND) & (FULL | FROM_MOUSE));
        assertEquals(0xfa, bench.inb(DATA));
        assertFalse(bench.irq("aux-irq").level());
        bench.clock().advance(Controller.BYTE_NANOS);
        assertEquals(0, bench.inb(DATA));
        assertEquals(2, bench.irq("aux-irq").edges());
        assertEquals(0, bench.irq("irq").edges());
    }

    @Test
    void disabledMouseLineIsHeld() {
        bench.outb(COMMAND, 0xd4);
        bench.outb(DATA, 0xf2);
        bench.outb(COMMAND, 0xa7);
        assertEquals(bytes(), readAll());
        bench.outb(COMMAND, 0xa8);
        assertEquals(bytes(0xfa, 0x00), readAll());
    }

    // ---- swap ----

    @Test
    void keysOnTheWaySurviveASwap() throws Exception {
        key(A, true);
        key(A, false);
        key(RIGHT_CTRL, true);
        bench.clock().advance(Controller.BYTE_NANOS);
        bench.swap(new I8042Factory());
        assertTrue(bench.irq("irq").level());
        assertEquals(bytes(0x1e, 0x9e, 0xe0, 0x1d), readAll());
        assertEquals(4, bench.irq("irq").edges());
    }
}
