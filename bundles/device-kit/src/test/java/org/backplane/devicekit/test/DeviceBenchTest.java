package org.backplane.devicekit.test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Consumer;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.ClaimException;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.IoHandler;
import org.backplane.kvm.spi.device.KeyboardInput;
import org.backplane.kvm.spi.device.Resource;
import org.backplane.kvm.spi.device.RevokedException;
import org.backplane.kvm.spi.device.VmTimer;
import org.junit.jupiter.api.Test;

class DeviceBenchTest {
    private final List<String> seen = new ArrayList<>();
    private DeviceContext context;

    /** A device that does nothing but what the test does in attach. */
    private DeviceBench bench(Map<String, String> properties, Consumer<DeviceContext> attach) {
        DeviceFactory f = new DeviceFactory() {
            @Override
            public String type() {
                return "probe";
            }

            @Override
            public String description() {
                return "a probe";
            }

            @Override
            public List<Resource> resources() {
                return List.of(
                        Resource.ports("regs", 0x100, 8),
                        Resource.mmio("window", 0xd000_0000L, 16),
                        Resource.ports("more", -1, 4),
                        Resource.irq("irq", 3),
                        Resource.dma("dma", 2),
                        Resource.block("disk"),
                        Resource.character("line"));
            }

            @Override
            public List<Property> properties() {
                return List.of(new Property("speed", "slow", "how fast"));
            }

            @Override
            public Device create() {
                return new Device() {
                    @Override
                    public void attach(DeviceContext c) {
                        context = c;
                        attach.accept(c);
                    }

                    @Override
                    public void reset() {}

                    @Override
                    public void save(CardState state) {}

                    @Override
                    public void load(CardState state) {}
                };
            }
        };
        DeviceBench b = DeviceBench.unattached(f, properties);
        b.insert("disk", new byte[] {1, 2, 3});
        return b.attach().reset();
    }

    private IoHandler recorder() {
        return new IoHandler() {
            @Override
            public long read(int vcpu, long offset, int size) {
                seen.add("r" + offset + "/" + size);
                return 0x10 + offset;
            }

            @Override
            public void write(int vcpu, long offset, int size, long value) {
                seen.add("w" + offset + "/" + size + "=" + Long.toHexString(value));
            }
        };
    }

    @Test
    void accessesAreSplitToTheSizesThatTheHandlerTakes() {
        DeviceBench b = bench(Map.of(), c -> {
            c.claimPorts("regs", 1, recorder());
            c.claimMmio("window", 2 | 4, recorder());
        });
        b.out(0x100, 4, 0x44332211);
        assertEquals(List.of("w0/1=11", "w1/1=22", "w2/1=33", "w3/1=44"), seen);
        seen.clear();
        b.mmioWrite(0xd000_0002L, 4, 0x44332211);
        assertEquals(List.of("w2/2=2211", "w4/2=4433"), seen);
        seen.clear();
        assertEquals(0x1110, b.in(0x100, 2));
        assertEquals(0xff17, b.in(0x107, 2), "beyond the range it floats");
        assertEquals(0xff, b.inb(0x99));
        assertThrows(IllegalArgumentException.class, () -> b.mmioRead(0xd000_0000L, 1));
    }

    @Test
    void slotMovesAndDisconnectsResources() {
        DeviceBench b = bench(Map.of("regs", "0x200", "window", "", "speed", "fast"), c -> {
            c.claimPorts("regs", 1, recorder());
            c.claimMmio("window", 1, recorder());
            c.claimPorts("more", 1, recorder());
            seen.add(c.property("speed"));
        });
        b.outb(0x203, 1);
        b.outb(0x103, 1);
        b.mmioWrite(0xd000_0000L, 1, 1);
        assertEquals(List.of("fast", "w3/1=1"), seen);
        assertThrows(NoSuchElementException.class, () -> context.property("colour"));
        assertThrows(NoSuchElementException.class, () -> bench(Map.of("colour", "red"), c -> {}));
    }

    @Test
    void overlappingClaimsAreRefused() {
        assertThrows(ClaimException.class, () -> bench(Map.of("more", "0x104"), c -> {
            c.claimPorts("regs", 1, recorder());
            c.claimPorts("more", 1, recorder());
        }));
    }

    @Test
    void timersRunAtTheirDeadlinesInOrder() {
        DeviceBench b = bench(Map.of(), c -> {
            VmTimer[] again = new VmTimer[1];
            c.timer("late", () -> seen.add("late@" + c.clock().nanos())).arm(300);
            again[0] = c.timer("early", () -> {
                seen.add("early@" + c.clock().nanos());
                if (c.clock().nanos() < 200) again[0].arm(200);
            });
            again[0].arm(100);
        });
        b.clock().advance(250);
        assertEquals(List.of("early@100", "early@200"), seen);
        b.clock().jump(1000);
        assertEquals(List.of("early@100", "early@200", "late@1250"), seen);
    }

    @Test
    void postedTasksRunAfterTheCallAndNotWhenTheCardHasLeft() {
        DeviceBench b = bench(Map.of(), c -> c.claimPorts("regs", 1, new IoHandler() {
            @Override
            public long read(int vcpu, long offset, int size) {
                return 0;
            }

            @Override
            public void write(int vcpu, long offset, int size, long value) {
                c.post(() -> seen.add("task"));
                seen.add("write");
            }
        }));
        b.outb(0x100, 0);
        assertEquals(List.of("write", "task"), seen);
        context.post(() -> seen.add("never"));
        b.detach();
        b.settle();
        assertEquals(2, seen.size());
        assertThrows(RevokedException.class, () -> context.post(() -> {}));
    }

    @Test
    void surroundingsAreThere() throws Exception {
        DeviceBench b = bench(Map.of(), c -> c.provide(KeyboardInput.class, (key, down) -> down));
        context.irq("irq").set(true);
        assertTrue(b.irq("irq").level());
        context.irq("irq").set(false);
        context.irq("irq").set(true);
        assertEquals(2, b.irq("irq").edges());

        byte[] sector = new byte[4];
        b.dma("dma").program(sector);
        assertEquals(3, context.dma("dma").transfer(true, new byte[] {9, 8, 7}, 0, 3));
        assertFalse(context.dma("dma").terminalCount());
        assertEquals(1, context.dma("dma").transfer(true, new byte[] {6, 5}, 0, 2));
        assertTrue(context.dma("dma").terminalCount());
        assertArrayEquals(new byte[] {9, 8, 7, 6}, sector);

        context.memory().write(0x500, new byte[] {42}, 0, 1);
        assertEquals(42, b.memory()[0x500]);
        byte[] got = new byte[2];
        context.memory().read((1 << 20) - 1, got, 0, 2);
        assertArrayEquals(new byte[] {0, -1}, got);

        context.block("disk").orElseThrow().read(1, got, 0, 2);
        assertArrayEquals(new byte[] {2, 3}, got);
        assertTrue(b.facet(KeyboardInput.class).key(1, true));

        b.character("line").input("hi");
        assertEquals('h', context.character("line").read());
        context.character("line").write('!');
        assertEquals("!", b.character("line").output());
        assertThrows(NoSuchElementException.class, () -> b.irq("nmi"));
    }
}
