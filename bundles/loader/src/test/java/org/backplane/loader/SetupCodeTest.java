package org.backplane.loader;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.backplane.kvm.spi.boot.BootException;
import org.backplane.kvm.spi.boot.BootLoader;
import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.Test;

/** The 16-bit boot protocol (Linux boot.rst, "Running the Kernel"), and what else a loader does with that wish. */
class SetupCodeTest {
    private final Map<Long, byte[]> written = new TreeMap<>();
    private final CpuState cpu = new CpuState();
    private boolean realMode = true;
    private String commandLine = "console=ttyS0";

    /** Two setup sectors and one of code. */
    private static Image kernel() {
        Image k = new Image(4 * 512);
        k.put8(0x1f1, 2).put32(0x1f4, 32).put16(0x1fe, 0xaa55).put8(0x201, 0x66).put32(0x202, 0x53726448).put16(0x206, 0x20f);
        k.put8(0x211, 1).put32(0x22c, 0x7fffffff).put32(0x238, 2047).put32(0x260, 0x10000);
        return k.put8(3 * 512, 0xcc);
    }

    private void load(BootLoader loader, byte[] image) throws BootException {
        cpu.reset();
        loader.load(new BootLoader.Request() {
            @Override
            public Path kernelPath() {
                return Path.of("vmlinuz");
            }

            @Override
            public byte[] kernel() {
                return image;
            }

            @Override
            public byte[] initrd() {
                return new byte[5000];
            }

            @Override
            public String commandLine() {
                return commandLine;
            }

            @Override
            public List<BootLoader.Range> memoryMap() {
                return List.of(new BootLoader.Range(0, 0x9fc00, 1), new BootLoader.Range(0x100000, 0xf00000, 1));
            }

            @Override
            public boolean realModeEntry() {
                return realMode;
            }

            @Override
            public void write(long gpa, byte[] bytes, int offset, int length) {
                byte[] copy = new byte[length];
                System.arraycopy(bytes, offset, copy, 0, length);
                written.put(gpa, copy);
            }

            @Override
            public CpuState cpu() {
                return cpu;
            }
        });
    }

    private Image at(long gpa) {
        return new Image(written.get(gpa));
    }

    @Test
    void theSetupCodeGetsWhatTheProtocolSays() throws BootException {
        load(new BzImageLoader(), kernel().bytes());
        Image setup = at(0x90000);
        assertEquals(3 * 512, setup.length());
        assertEquals(0xff, setup.u8(0x210), "a loader without a number");
        assertEquals(0x81, setup.u8(0x211), "loaded high, heap usable");
        assertEquals(0xe000 - 0x200, setup.u16(0x224), "heap_end_ptr");
        assertEquals(0x9e000, setup.u32(0x228), "cmd_line_ptr");
        assertEquals("console=ttyS0\0", new String(written.get(0x9e000L)));
        assertEquals(0xffe000, setup.u32(0x218), "the initrd as high as it can be");
        assertEquals(5000, setup.u32(0x21c));
        assertEquals(0xcc, at(0x100000).u8(0));
    }

    @Test
    void theCpuStaysInReset() throws BootException {
        load(new BzImageLoader(), kernel().bytes());
        assertEquals(0xfff0, cpu.rip);
        assertEquals(0x60000010L, cpu.cr0);
    }

    @Test
    void theOptionRomIsOneThatFirmwareTakes() throws BootException {
        load(new BzImageLoader(), kernel().bytes());
        Image rom = at(0xc8000);
        assertEquals(0xaa55, rom.u16(0));
        assertEquals(rom.length(), rom.u8(2) * 512);
        int sum = 0;
        for (byte b : rom.bytes()) sum += b;
        assertEquals(0, sum & 0xff);
        assertEquals(0x17, rom.u16(3 + 10), "what int 19h calls is behind the entry");
        assertEquals(0xfa, rom.u8(0x17), "CLI");
        assertEquals(0x9000, rom.u16(0x1a), "the data segments");
        assertEquals(0xe000, rom.u16(0x27), "SP at the heap's end");
        assertEquals(0x90200000L, rom.u32(0x2a), "a far jump to 9020:0000");
    }

    @Test
    void aCommandLineThatWouldReachIntoTheBiosDataAreaIsRefused() {
        commandLine = "x".repeat(0x1c00);
        BootException e = assertThrows(BootException.class, () -> load(new BzImageLoader(), kernel().put32(0x238, 100_000).bytes()));
        assertTrue(e.getMessage().startsWith("append:"), e.getMessage());
    }

    @Test
    void setupCodeThatReachesIntoItsHeapIsRefused() {
        Image k = new Image(80 * 512);
        k.copy(kernel(), 0, 4 * 512);
        k.put8(0x1f1, 70);
        BootException e = assertThrows(BootException.class, () -> load(new BzImageLoader(), k.bytes()));
        assertTrue(e.getMessage().contains("setup code"), e.getMessage());
    }

    @Test
    void theDefaultIsProtectedMode() throws BootException {
        realMode = false;
        load(new BzImageLoader(), kernel().bytes());
        assertEquals(0x100000, cpu.rip);
        assertTrue(written.containsKey(0x10000L) && !written.containsKey(0xc8000L));
    }

    @Test
    void aMultibootKernelHasNoSuchEntry() {
        BootException e = assertThrows(BootException.class, () -> load(new MultibootLoader(), new byte[8192]));
        assertTrue(e.getMessage().contains("kernel-entry"), e.getMessage());
    }
}
