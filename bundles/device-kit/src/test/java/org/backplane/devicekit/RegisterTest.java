package org.backplane.devicekit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.StateException;
import org.junit.jupiter.api.Test;

class RegisterTest {
    private final RegisterFile file = new RegisterFile("t");

    @Test
    void withoutFieldsEveryBitIsKept() {
        Register r = file.register("r", 8);
        r.busWrite(0x1a5);
        assertEquals(0xa5, r.busRead());
    }

    @Test
    void eachKindOfFieldKeepsItsRule() {
        Register r = file.register("r", 8)
                .bits("rw", 0)
                .bits("ro", 1, 1, Access.READ_ONLY)
                .bits("wo", 2, 1, Access.WRITE_ONLY)
                .bits("w1c", 3, 1, Access.WRITE_ONE_TO_CLEAR)
                .bits("rc", 4, 1, Access.READ_TO_CLEAR)
                .bits("zero", 5, 1, Access.RESERVED)
                .bits("one", 6, 1, Access.RESERVED_ONES);
        r.busWrite(0xff);
        assertEquals(0b0000_0101, r.value(), "stored: rw and wo");
        assertEquals(0b0100_0001, r.busRead(), "read: rw and the reserved one");
        r.set(0xff);
        assertEquals(0b0101_1011, r.busRead());
        assertEquals(0b1110_1111, r.value(), "the read cleared rc");
        r.busWrite(0b0000_0111);
        assertTrue(r.field("w1c").isSet(), "a zero leaves a write-1-to-clear bit");
        r.busWrite(0b0000_1000);
        assertEquals(0, r.field("w1c").get());
    }

    @Test
    void writtenOnesSetOrInvertAndZerosLeaveAlone() {
        Register r = file.register("r", 8).bits("set", 0, 4, Access.WRITE_ONE_TO_SET).bits("toggle", 4, 4, Access.WRITE_ONE_TO_TOGGLE);
        r.busWrite(0x31);
        assertEquals(0x31, r.busRead());
        r.busWrite(0x52);
        assertEquals(0x63, r.busRead(), "1 | 2 is 3, 3 ^ 5 is 6");
        r.busWrite(0);
        assertEquals(0x63, r.busRead());
        r.field("set").set(0);
        assertEquals(0x60, r.busRead(), "the device clears what the guest set");
    }

    @Test
    void fieldsReadAndWriteTheirBitsOnly() {
        Register r = file.register("r", 16).bits("a", 0, 4).bits("b", 4, 8).bits("c", 12, 4);
        r.set(0xf00f);
        r.field("b").set(0x1a5);
        assertEquals(0xfa5f, r.value());
        assertEquals(0xa5, r.field("b").get());
        r.field("c").set(false);
        assertEquals(0x0a5f, r.value());
        assertEquals("r=0xa5f a=0xf b=0xa5", r.describe(r.value()));
    }

    @Test
    void fieldsThatOverlapOrLeaveTheRegisterAreRefused() {
        Register r = file.register("r", 8).bits("a", 0, 4);
        assertThrows(IllegalArgumentException.class, () -> r.bits("b", 3));
        assertThrows(IllegalArgumentException.class, () -> r.bits("a", 5));
        assertThrows(IllegalArgumentException.class, () -> r.bits("c", 7, 2));
        assertThrows(IllegalArgumentException.class, () -> file.register("r", 8));
        assertThrows(IllegalArgumentException.class, () -> file.register("odd", 12));
    }

    @Test
    void unimplementedFieldIsLoggedOnceWhenItChanges() {
        List<String> log = new ArrayList<>();
        file.log(log::add);
        Register r = file.register("ctl", 8).bits("on", 0).bits("turbo", 4, 2, Access.UNIMPLEMENTED);
        r.busWrite(0x01);
        assertEquals(List.of(), log);
        r.busWrite(0x21);
        r.busWrite(0x11);
        assertEquals(List.of("t: ctl.turbo is not implemented (0x2 written)"), log);
        assertEquals(0x11, r.busRead());
    }

    @Test
    void writeCallbackSeesTheRawValueAfterTheStore() {
        List<String> seen = new ArrayList<>();
        Register r = file.register("r", 8).bits("low", 0, 4);
        r.set(9);
        r.onWrite(v -> seen.add(r.before() + ">" + v + ">" + r.value()));
        r.busWrite(0x1ff);
        r.set(3);
        assertEquals(List.of("9>255>15"), seen, "the device's own set calls nothing back");
    }

    @Test
    void readCallbackReplacesTheValue() {
        Register r = file.register("r", 8).onRead(() -> 0x1234);
        assertEquals(0x34, r.busRead());
        assertEquals(0, r.value());
    }

    @Test
    void afterReadSeesTheClearedFields() {
        List<Long> seen = new ArrayList<>();
        Register r = file.register("status", 8).bits("event", 0, 1, Access.READ_TO_CLEAR);
        r.afterRead(() -> seen.add(r.value()));
        r.set(1);
        assertEquals(1, r.busRead());
        assertEquals(List.of(0L), seen);
    }

    @Test
    void resetTakesResetValuesButForRetainedRegisters() {
        Register r = file.register("r", 8).resetValue(0x60);
        Register cmos = file.register("cmos", 8).resetValue(0x26).retained();
        assertEquals(0x60, r.value());
        assertEquals(0x26, cmos.value());
        r.busWrite(1);
        cmos.busWrite(2);
        file.reset();
        assertEquals(0x60, r.value());
        assertEquals(2, cmos.value());
    }

    @Test
    void everyValueIsSavedAndLoadedByName() throws StateException {
        Register r = file.register("r", 64);
        RegisterArray bytes = file.array("bytes", 3, 8);
        RegisterArray words = file.array("words", 2, 16);
        Register none = file.register("none", 8).derived();
        r.set(-2);
        none.set(7);
        bytes.set(2, 0xcc);
        words.set(1, 0x1234);
        CardState s = new CardState("t", 1);
        file.save(s);
        assertEquals("t v1 { bytes=0000cc r=-2 words=00003412 }", s.toString());
        file.reset();
        file.load(s);
        assertEquals(-2, r.value());
        assertEquals(0xcc, bytes.value(2));
        assertEquals(0x1234, words.value(1));
    }

    @Test
    void absentValuesLoadAsResetValues() throws StateException {
        Register r = file.register("r", 8).resetValue(5);
        RegisterArray a = file.array("a", 2, 8);
        r.set(9);
        a.set(0, 9);
        file.load(new CardState("t", 1));
        assertEquals(5, r.value());
        assertEquals(0, a.value(0));
    }

    @Test
    void arrayOfAnotherLengthIsRefusedByName() {
        file.array("a", 2, 8);
        StateException e = assertThrows(StateException.class, () -> file.load(new CardState("t", 1).put("a", new byte[3])));
        assertTrue(e.getMessage().contains("a has 3 bytes"), e.getMessage());
    }

    @Test
    void arrayCallsBackWithTheIndex() {
        List<Integer> seen = new ArrayList<>();
        RegisterArray a = file.array("a", 4, 8).onWrite(seen::add);
        a.get(2).busWrite(1);
        assertEquals(List.of(2), seen);
    }

    @Test
    void arrayDeclaresForEveryElement() {
        RegisterArray a = file.array("a", 3, 16).bits("low", 0, 4).bits("done", 8, 1, Access.WRITE_ONE_TO_CLEAR).resetValue(0x105);
        a.get(2).busWrite(0x10a);
        assertEquals(0x105, a.get(1).busRead());
        assertEquals(0x00a, a.get(2).busRead());
        assertEquals("a[1]=0x105 low=0x5 done=0x1", a.get(1).toString());
        file.reset();
        assertEquals(0x105, a.value(2));
    }

    @Test
    void arrayReadsAreComputedByIndexAndReadOnlyOnesIgnoreWrites() {
        RegisterArray squares = file.array("square", 4, 8).readOnly().onRead(i -> (long) i * i);
        squares.get(3).busWrite(1);
        assertEquals(9, squares.get(3).busRead());
        assertEquals(0, squares.value(3));
    }

    @Test
    void traceNamesRegisterAndFields() {
        Register r = file.register("lcr", 8).bits("wls", 0, 2).bits("dlab", 7);
        List<String> seen = new ArrayList<>();
        file.trace((reg, write, v) -> seen.add((write ? "W " : "R ") + reg.describe(v)));
        r.busWrite(0x83);
        r.busRead();
        file.trace(null);
        r.busWrite(0);
        assertEquals(List.of("W lcr=0x83 wls=0x3 dlab=0x1", "R lcr=0x83 wls=0x3 dlab=0x1"), seen);
    }
}
