package org.backplane.gdbstub;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;
import org.backplane.kvm.spi.cpu.CpuState;

/**
 * The registers in the order in which gdb numbers them, and their target description: gdb's own features {@code org.gnu.gdb.i386.core} (with the FPU) and,
 * in long mode, {@code .sse} and {@code .segments}, and one of ours with the system registers.
 *
 * <p>gdb asks for it once, when it attaches; whether it describes an i386 or an x86-64 depends on the processor's mode then.
 *
 * <p>EIP is the offset in CS, as gdb's users know it from QEMU: the linear address is {@code $cs_base + $eip}. Memory is always linear.
 */
final class RegisterLayout {
    private static final String[] NAMES32 = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};

    /** In gdb's order, which is not the encoding's; with the index of each. */
    private static final String[] NAMES64 = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"};

    private static final int[] ORDER64 = {RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP};
    private static final String[] SEGMENT_NAMES = {"cs", "ss", "ds", "es", "fs", "gs"};
    private static final int[] SEGMENTS = {CS, SS, DS, ES, FS, GS};

    /** One feature of the description. */
    private record Feature(String name, String types, List<Register> registers) {}

    private final boolean longMode;
    private final int width;
    private final List<Feature> features = new ArrayList<>();
    private final List<Register> registers = new ArrayList<>();

    private RegisterLayout(boolean longMode) {
        this.longMode = longMode;
        width = longMode ? 64 : 32;
        features.add(new Feature("org.gnu.gdb.i386.core", TargetXml.EFLAGS, core()));
        if (longMode) {
            features.add(new Feature("org.gnu.gdb.i386.sse", TargetXml.VECTORS, sse()));
            features.add(new Feature("org.gnu.gdb.i386.segments", "", List.of(base("fs_base", FS), base("gs_base", GS))));
        }
        features.add(new Feature("org.backplane.i386.system", TargetXml.CONTROL, system()));
        for (Feature f : features) registers.addAll(f.registers);
    }

    /** The layout for a processor in the mode that it is in. */
    static RegisterLayout of(CpuState s) {
        return new RegisterLayout(s.longModeActive());
    }

    /** All, by number. */
    List<Register> registers() {
        return registers;
    }

    String xml() {
        TargetXml xml = new TargetXml(longMode ? "i386:x86-64" : "i386");
        for (Feature f : features) xml.feature(f.name, f.types, f.registers);
        return xml.text();
    }

    private long fit(long value) {
        return longMode ? value : value & 0xffffffffL;
    }

    private Register general(String name, int n, String type) {
        return Register.of(name, width, type, s -> s.gpr[n], (s, l, h) -> {
            s.gpr[n] = fit(l);
            return true;
        });
    }

    private List<Register> core() {
        List<Register> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            int n = longMode ? ORDER64[i] : i;
            boolean pointer = n == RSP || n == RBP;
            all.add(general(longMode ? NAMES64[i] : NAMES32[i], n, pointer ? "data_ptr" : "int" + width));
        }
        for (int n = 8; longMode && n < 16; n++) all.add(general("r" + n, n, "int64"));
        all.add(Register.of(longMode ? "rip" : "eip", width, "code_ptr", s -> s.rip, (s, l, h) -> {
            s.rip = fit(l);
            return true;
        }));
        all.add(Register.of("eflags", 32, "i386_eflags", CpuState::rflags, (s, l, h) -> {
            // VM is not a flag that can be flipped: everything about the segments goes with it.
            s.setRflags(l & ~(long) VM | s.rflagsOther & VM);
            return true;
        }));
        for (int i = 0; i < 6; i++) all.add(selector(SEGMENT_NAMES[i], SEGMENTS[i]));
        FpuRegisters.addTo(all);
        return all;
    }

    /** In protected mode a selector comes with a descriptor, so it cannot be written alone. */
    private static Register selector(String name, int n) {
        return Register.of(name, 32, "int32", s -> s.segSel[n], (s, l, h) -> {
            if (!s.realOrVm86()) return false;
            s.segSel[n] = (int) l & 0xffff;
            s.segBase[n] = (l & 0xffff) << 4;
            return true;
        });
    }

    private List<Register> sse() {
        List<Register> all = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            int n = i;
            all.add(new Register("xmm" + n, 128, "vec128", "", s -> s.xmm[2 * n], s -> s.xmm[2 * n + 1], (s, l, h) -> {
                s.xmm[2 * n] = l;
                s.xmm[2 * n + 1] = h;
                return true;
            }));
        }
        all.add(Register.of("mxcsr", 32, "int", s -> s.mxcsr, (s, l, h) -> {
            s.mxcsr = (int) l & 0xffff;
            return true;
        }).in("vector"));
        return all;
    }

    private Register system(String name, String type, ToLongFunction<CpuState> value, Register.Writer writer) {
        return Register.of(name, width, type, value, writer).in("system");
    }

    private Register base(String name, int n) {
        return system(name, "int" + width, s -> s.segBase[n], null);
    }

    /** Of these only what changes no mode can be written. */
    private List<Register> system() {
        List<Register> all = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            boolean elsewhere = longMode && (SEGMENTS[i] == FS || SEGMENTS[i] == GS);
            if (!elsewhere) all.add(base(SEGMENT_NAMES[i] + "_base", SEGMENTS[i]));
        }
        all.add(system("gdt_base", "int" + width, s -> s.gdtBase, null));
        all.add(system("gdt_limit", "int" + width, s -> s.gdtLimit, null));
        all.add(system("idt_base", "int" + width, s -> s.idtBase, null));
        all.add(system("idt_limit", "int" + width, s -> s.idtLimit, null));
        all.add(system("tr", "int" + width, s -> s.segSel[TR], null));
        all.add(system("ldtr", "int" + width, s -> s.segSel[LDTR], null));
        all.add(system("cr0", longMode ? "int64" : "i386_cr0", s -> s.cr0, null));
        all.add(system("cr2", "int" + width, s -> s.cr2, (s, l, h) -> {
            s.cr2 = fit(l);
            return true;
        }));
        all.add(system("cr3", "int" + width, s -> s.cr3, (s, l, h) -> {
            s.cr3 = fit(l);
            return true;
        }));
        all.add(system("cr4", longMode ? "int64" : "i386_cr4", s -> s.cr4, null));
        all.add(system("efer", "int" + width, s -> s.efer, null));
        return all;
    }
}
