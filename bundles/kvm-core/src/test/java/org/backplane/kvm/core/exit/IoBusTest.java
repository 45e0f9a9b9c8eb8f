package org.backplane.kvm.core.exit;

import static org.junit.jupiter.api.Assertions.*;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.device.ClaimException;
import org.backplane.kvm.spi.device.IoHandler;
import org.junit.jupiter.api.Test;

/** Routing, splitting and shielding of port and MMIO accesses. */
class IoBusTest {
    private final List<String> log = new ArrayList<>();
    private final List<String> faults = new ArrayList<>();
    private final IoBus bus = new IoBus((slot, e) -> faults.add(slot + ": " + e.getMessage()));

    private IoHandler logging(String name) {
        return new IoHandler() {
            @Override
            public long read(int vcpu, long offset, int size) {
                log.add(name + " r" + size + "@" + offset);
                return 0x10 + offset;
            }

            @Override
            public void write(int vcpu, long offset, int size, long value) {
                log.add(name + " w" + size + "@" + offset + "=" + Long.toHexString(value));
            }
        };
    }

    private Route route(String name, long base, long length, int sizes) {
        return new Route(logging(name), base, length, sizes, name);
    }

    @Test
    void anUnclaimedPortFloats() {
        assertEquals(0xffff, bus.portRead(0, 0x123, 2));
        bus.portWrite(0, 0x123, 4, 1);
        assertEquals(0xffffffffffffffffL, bus.mmioRead(0, 0xa0000, 8));
    }

    @Test
    void theHandlerSeesOffsets() {
        bus.publish(RouteTable.of(List.of(route("a", 0x3f8, 8, 1)), List.of()));
        assertEquals(0x17, bus.portRead(0, 0x3ff, 1));
        assertEquals(List.of("a r1@7"), log);
    }

    @Test
    void anAccessIsSplitToWhatTheHandlerTakes() {
        bus.publish(RouteTable.of(List.of(route("a", 0x100, 8, 1)), List.of(route("m", 0xa0000, 0x1000, 3))));
        assertEquals(0x13121110, bus.portRead(0, 0x100, 4));
        bus.mmioWrite(0, 0xa0010, 4, 0x44332211);
        assertEquals(List.of("a r1@0", "a r1@1", "a r1@2", "a r1@3", "m w2@16=2211", "m w2@18=4433"), log);
    }

    @Test
    void anAccessAcrossTwoCardsReachesBoth() {
        bus.publish(RouteTable.of(List.of(route("a", 0x100, 1, 3), route("b", 0x101, 1, 1)), List.of()));
        bus.portWrite(0, 0x100, 2, 0xbbaa);
        assertEquals(List.of("a w1@0=aa", "b w1@0=bb"), log);
        assertEquals(0xffff1010L, bus.portRead(0, 0x100, 4));
    }

    @Test
    void overlapNamesBothSlots() {
        ClaimException e = assertThrows(
                ClaimException.class,
                () -> RouteTable.of(List.of(route("com1", 0x3f8, 8, 1), route("mine", 0x3ff, 2, 1)), List.of()));
        assertTrue(e.getMessage().contains("com1") && e.getMessage().contains("mine"), e.getMessage());
        assertThrows(ClaimException.class, () -> RouteTable.of(List.of(route("x", 0xffff, 2, 1)), List.of()));
    }

    @Test
    void aHandlerThatThrowsFloatsAndIsReported() {
        IoHandler bad = new IoHandler() {
            @Override
            public long read(int vcpu, long offset, int size) {
                throw new IllegalStateException("boom");
            }

            @Override
            public void write(int vcpu, long offset, int size, long value) {
                throw new IllegalStateException("bang");
            }
        };
        bus.publish(RouteTable.of(List.of(new Route(bad, 0x10, 1, 1, "bad")), List.of()));
        assertEquals(0xff, bus.portRead(0, 0x10, 1));
        bus.portWrite(0, 0x10, 1, 0);
        assertEquals(List.of("bad: boom", "bad: bang"), faults);
    }
}
