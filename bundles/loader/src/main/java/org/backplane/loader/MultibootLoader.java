package org.backplane.loader;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.boot.BootException;
import org.backplane.kvm.spi.boot.BootLoader;
import org.backplane.kvm.spi.cpu.CpuState;
import org.osgi.service.component.annotations.Component;

/**
 * Multiboot kernels: an ELF, or a file with the address fields in its header. Source: Multiboot Specification 0.6.96, sections 3.1 to 3.3.
 * The initrd is the one module.
 *
 * <pre>
 * 00000500  GDT of the entry state
 * 00009000  multiboot information, memory map, strings
 * </pre>
 */
@Component
public final class MultibootLoader implements BootLoader {
    private static final long HEADER_MAGIC = 0x1BADB002L, ENTRY_MAGIC = 0x2BADB002L;
    private static final int SEARCH = 8192;
    private static final long GDT = 0x500, INFO = 0x9000;
    private static final int INFO_ROOM = 0x1000;
    private static final long ELF_MAGIC = 0x464c457fL;
    private static final int PT_LOAD = 1;

    /** Header flag: the address fields are valid. */
    private static final long HAS_ADDRESSES = 1 << 16;

    /** Flags of the information: mem_*, cmdline, mods, mmap, boot_loader_name. */
    private static final int MEMORY = 1, CMDLINE = 1 << 2, MODULES = 1 << 3, MMAP = 1 << 6, LOADER_NAME = 1 << 9;

    /** Bytes of the file that go to memory, followed by zeros. */
    private record Segment(long gpa, int offset, int length, long memory) {}

    @Override
    public String type() {
        return "multiboot";
    }

    @Override
    public String description() {
        return "multiboot kernel (ELF, or with addresses in its header)";
    }

    @Override
    public boolean recognises(byte[] image) {
        return header(new Image(image)) >= 0;
    }

    private static int header(Image k) {
        for (int at = 0; at + 12 <= Math.min(SEARCH, k.length()); at += 4) {
            if (k.u32(at) != HEADER_MAGIC) continue;
            if ((k.u32(at) + k.u32(at + 4) + k.u32(at + 8) & 0xffffffffL) == 0) return at;
        }
        return -1;
    }

    @Override
    public void load(Request r) throws BootException {
        if (r.realModeEntry()) throw new BootException("kernel-entry: " + r.kernelPath() + " is a multiboot kernel and has no 16-bit entry");
        Image k = new Image(r.kernel());
        int header = header(k);
        List<Segment> segments = new ArrayList<>();
        long entry = (k.u32(header + 4) & HAS_ADDRESSES) != 0 ? byAddresses(r, k, header, segments) : byElf(r, k, segments);
        long end = 0;
        for (Segment s : segments) {
            checkRoom(r, s);
            r.write(s.gpa, r.kernel(), s.offset, s.length);
            byte[] zeros = new byte[(int) (s.memory - s.length)];
            r.write(s.gpa + s.length, zeros, 0, zeros.length);
            end = Math.max(end, s.gpa + s.memory);
        }
        FlatEntry.set(r, GDT, entry);
        information(r, end + 4095 & ~4095L);
        r.cpu().gpr[CpuState.RAX] = ENTRY_MAGIC;
        r.cpu().gpr[CpuState.RBX] = INFO;
    }

    private static long byAddresses(Request r, Image k, int h, List<Segment> segments) throws BootException {
        k.require(h + 32, "the multiboot header", r.kernelPath());
        long headerAddress = k.u32(h + 12);
        long load = k.u32(h + 16);
        long loadEnd = k.u32(h + 20);
        long bssEnd = k.u32(h + 24);
        int offset = (int) (h - (headerAddress - load));
        if (offset < 0) throw new BootException("kernel: " + r.kernelPath() + ": its multiboot load address lies before the file");
        long length = loadEnd == 0 ? k.length() - offset : loadEnd - load;
        k.require(offset + length, "the image", r.kernelPath());
        segments.add(new Segment(load, offset, (int) length, Math.max(length, bssEnd == 0 ? 0 : bssEnd - load)));
        return k.u32(h + 28);
    }

    private static long byElf(Request r, Image k, List<Segment> segments) throws BootException {
        if (k.length() < 52 || k.u32(0) != ELF_MAGIC || k.u8(4) != 1 || k.u16(18) != 3) {
            throw new BootException("kernel: " + r.kernelPath() + " has a multiboot header but is no 32-bit x86 ELF");
        }
        int table = (int) k.u32(28);
        int size = k.u16(42);
        int count = k.u16(44);
        k.require(table + (long) size * count, "the program header table", r.kernelPath());
        for (int i = 0; i < count; i++) {
            int p = table + i * size;
            if (k.u32(p) != PT_LOAD) continue;
            long offset = k.u32(p + 4);
            long length = k.u32(p + 16);
            k.require(offset + length, "segment " + i, r.kernelPath());
            segments.add(new Segment(k.u32(p + 12), (int) offset, (int) length, k.u32(p + 20)));
        }
        if (segments.isEmpty()) throw new BootException("kernel: " + r.kernelPath() + " has nothing to load");
        return k.u32(24);
    }

    private static void checkRoom(Request r, Segment s) throws BootException {
        for (Range e : r.memoryMap()) {
            if (e.type() == 1 && s.gpa >= e.gpa() && s.gpa + s.memory <= e.gpa() + e.length()) return;
        }
        throw new BootException(String.format(
                "kernel: %s wants %d KiB at 0x%x, where there is no free memory (-m)", r.kernelPath(), s.memory >> 10, s.gpa));
    }

    private static void information(Request r, long modules) throws BootException {
        Image i = new Image(INFO_ROOM);
        int flags = MEMORY | CMDLINE | MMAP | LOADER_NAME;
        int strings = 0x400;
        byte[] line = (r.kernelPath().getFileName() + " " + r.commandLine() + "\0").getBytes(StandardCharsets.ISO_8859_1);
        byte[] loader = "Backplane\0".getBytes(StandardCharsets.ISO_8859_1);
        if (strings + line.length + loader.length > INFO_ROOM) throw new BootException("append: the command line is too long");
        System.arraycopy(line, 0, i.bytes(), strings, line.length);
        System.arraycopy(loader, 0, i.bytes(), strings + line.length, loader.length);
        i.put32(16, INFO + strings).put32(64, INFO + strings + line.length);
        int at = 0x100;
        long upper = 0;
        for (Range e : r.memoryMap()) {
            i.put32(at, 20).put64(at + 4, e.gpa()).put64(at + 12, e.length()).put32(at + 20, e.type());
            at += 24;
            if (e.gpa() == 0x100000) upper = e.length() >> 10;
        }
        i.put32(44, at - 0x100).put32(48, INFO + 0x100);
        i.put32(4, 640).put32(8, upper);
        if (r.initrd().length > 0) {
            flags |= MODULES;
            checkRoom(r, new Segment(modules, 0, 0, r.initrd().length));
            r.write(modules, r.initrd(), 0, r.initrd().length);
            i.put32(0x80, modules).put32(0x84, modules + r.initrd().length).put32(0x88, INFO + strings + line.length - 1);
            i.put32(20, 1).put32(24, INFO + 0x80);
        }
        i.put32(0, flags);
        r.write(INFO, i.bytes(), 0, i.length());
    }
}
