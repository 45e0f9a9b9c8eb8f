package org.backplane.devicekit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.device.CardState;
import org.junit.jupiter.api.Test;

class RegisterBankTest {
    private final RegisterFile file = new RegisterFile("t");

    @Test
    void unusedOffsetsFloat() {
        RegisterBank b = new RegisterBank(file, 4);
        b.write(0, 1, 1, 0x12);
        assertEquals(0xff, b.read(0, 1, 1));
        assertEquals(0xffff, b.read(0, 0, 2));
        assertEquals(0xffff_ffffL, b.read(0, 0, 4));
        assertThrows(IllegalArgumentException.class, () -> b.at(3, file.register("wide", 16)));
    }

    @Test
    void readsAndWritesCanGoToTwoRegisters() {
        Register rbr = file.register("rbr", 8).resetValue(0x41);
        Register thr = file.register("thr", 8);
        RegisterBank b = new RegisterBank(file, 1).readAt(0, rbr).writeAt(0, thr);
        b.write(0, 0, 1, 0x42);
        assertEquals(0x41, b.read(0, 0, 1));
        assertEquals(0x42, thr.value());
    }

    @Test
    void layersFollowTheirFieldHoweverItChanges() throws Exception {
        Register lcr = file.register("lcr", 8).bits("wls", 0, 2).bits("dlab", 7);
        Register ier = file.register("ier", 8);
        Register dlm = file.register("dlm", 8);
        Register scr = file.register("scr", 8);
        RegisterBank b = new RegisterBank(file, 3).at(0, ier).at(1, lcr).at(2, scr).layers(lcr.field("dlab")).layerAt(1, 0, dlm);
        b.write(0, 0, 1, 1);
        b.write(0, 1, 1, 0x80);
        b.write(0, 0, 1, 2);
        b.write(0, 2, 1, 3);
        assertEquals(1, ier.value());
        assertEquals(2, dlm.value());
        assertEquals(3, scr.value(), "layer 1 shows layer 0 where it has nothing");
        CardState s = new CardState("t", 1);
        file.save(s);
        file.reset();
        assertEquals(0, b.read(0, 0, 1), "reset selects layer 0");
        file.load(s);
        assertEquals(2, b.read(0, 0, 1), "load selects layer 1");
        lcr.field("dlab").set(false);
        assertEquals(1, b.read(0, 0, 1));
    }

    @Test
    void windowShowsTheIndexedRegister() {
        Register index = file.register("index", 8);
        RegisterArray crtc = file.array("crtc", 25, 8);
        RegisterBank space = new RegisterBank(file, 25).at(0, crtc);
        RegisterBank b = new RegisterBank(file, 2).at(0, index).window(1, index::intValue, space);
        b.write(0, 0, 1, 0x0e);
        b.write(0, 1, 1, 0x12);
        b.write(0, 0, 2, 0x340f);
        assertEquals(0x12, crtc.value(0x0e));
        assertEquals(0x34, crtc.value(0x0f), "a word writes index and data");
        b.write(0, 0, 1, 25);
        b.write(0, 1, 1, 0);
        assertEquals(0xff, b.read(0, 1, 1), "an index beyond the space floats");
    }

    @Test
    void partsOfARegisterLeaveTheRestAlone() {
        Register r = file.register("r", 32);
        Register status = file.register("status", 32).bits("events", 0, 32, Access.WRITE_ONE_TO_CLEAR);
        RegisterBank b = new RegisterBank(file, 8).at(0, r).at(4, status);
        b.write(0, 0, 4, 0x11223344);
        b.write(0, 1, 1, 0xaa);
        assertEquals(0x1122aa44, r.value());
        b.write(0, 2, 2, 0xbbcc);
        assertEquals(0xbbccaa44L, b.read(0, 0, 4));
        assertEquals(0xaa, b.read(0, 1, 1));
        assertEquals(0xccaa, b.read(0, 1, 2));
        status.set(0xffff_ffffL);
        b.write(0, 5, 1, 0x0f);
        assertEquals(0xffff_f0ffL, status.value());
    }

    @Test
    void writingAPartActsOnItsOwnBitsOnly() {
        Register acts = file.register("acts", 16)
                .bits("toggle", 0, 4, Access.WRITE_ONE_TO_TOGGLE)
                .bits("set", 4, 4, Access.WRITE_ONE_TO_SET)
                .bits("kept", 8, 8);
        RegisterBank b = new RegisterBank(file, 2).at(0, acts);
        acts.set(0x00f5);
        b.write(0, 1, 1, 0x77);
        assertEquals(0x77f5, acts.value(), "stored ones of the other byte invert nothing");
        acts.field("set").set(0);
        b.write(0, 0, 1, 0x31);
        assertEquals(0x7734, acts.value());
    }

    @Test
    void arraysWithAStrideInterleave() {
        RegisterArray address = file.array("address", 2, 16);
        RegisterArray count = file.array("count", 2, 16);
        RegisterBank b = new RegisterBank(file, 8).at(0, address, 4).at(2, count, 4);
        b.write(0, 4, 4, 0x22221111);
        assertEquals(0x1111, address.value(1));
        assertEquals(0x2222, count.value(1));
        assertThrows(IllegalArgumentException.class, () -> b.at(0, address, 1));
    }

    @Test
    void wideAccessTouchesEachRegisterOnceInOrder() {
        List<String> seen = new ArrayList<>();
        RegisterBank b = new RegisterBank(file, 6);
        for (int i = 0; i < 4; i++) {
            int n = i;
            b.at(i, file.register("r" + i, 8).onWrite(v -> seen.add(n + "=" + v)).onRead(() -> {
                seen.add("read" + n);
                return 0x10 + n;
            }));
        }
        b.at(4, file.register("r4", 16).resetValue(0xbeef));
        b.write(0, 0, 4, 0x04030201);
        assertEquals(0x1312_1110L, b.read(0, 0, 4));
        assertEquals(List.of("0=1", "1=2", "2=3", "3=4", "read0", "read1", "read2", "read3"), seen);
        assertEquals(0xbeef_1312L, b.read(0, 2, 4));
    }
}
