package org.backplane.kvm.spi.cpu;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * How a guest in real mode runs, and one in protected mode whose state VM entry does not take because real mode left it so. Without the control
 * "unrestricted guest" a processor enters a guest only with CR0.PE and CR0.PG set (SDM 3C 26.3.1.1), so something has to stand in for real mode.
 */
public enum RealMode {
    /**
     * As virtual-8086 code at privilege level 3. What differs between the two modes traps and is emulated, so that the guest sees real mode
     * as the SDM has it; what virtual-8086 mode cannot express (limits above 64 KiB, a base that is not selector * 16) the emulator runs.
     */
    VM86("vm86", "virtual-8086 mode; the emulator where that cannot go"),

    /**
     * The same as KVM of 2007 did it: IOPL 3 and CR4.VME, so that CLI, STI, PUSHF, POPF, IRET and INT n run without an exit. The guest can
     * tell: PUSHF shows IOPL 3, INT n ignores the base of the IDT, and after the switch to protected mode SS holds a null selector.
     */
    VM86_2007("vm86-2007", "vm86 as KVM of 2007 had it: fewer exits, and the guest sees IOPL 3"),

    /** In the emulator, instruction by instruction, until the state is one that VM entry takes. */
    EMULATE("emulate", "the emulator until the state is valid for VM entry"),

    /** By the processor itself: the control "unrestricted guest", which needs EPT (SDM 3C 26.2.1.1). */
    UNRESTRICTED("unrestricted", "the processor itself; needs two-dimensional paging");

    /** Why {@link #UNRESTRICTED} is refused where the MMU has shadow tables. */
    public static final String NEEDS_EPT =
            "unrestricted guest needs EPT (SDM 3C 26.2.1.1): with shadow paging VM entry fails with VMfailValid, error 7";

    /** The name in options. */
    public final String option;

    /** One line for help. */
    public final String description;

    RealMode(String option, String description) {
        this.option = option;
        this.description = description;
    }

    /** The mode of an option's value. */
    public static Optional<RealMode> of(String option) {
        return Arrays.stream(values()).filter(m -> m.option.equals(option)).findFirst();
    }

    /** All values of the option, for help and errors. */
    public static String options() {
        return Arrays.stream(values()).map(m -> m.option).collect(Collectors.joining("|"));
    }

    /** Real mode runs as virtual-8086 code where it can. */
    public boolean usesVm86() {
        return this == VM86 || this == VM86_2007;
    }

    /**
     * What a VM does for which nobody asked for anything: the processor where it can, and otherwise what KVM did when it had no choice either.
     * Virtual-8086 code runs at the engine's speed, the emulator at a tenth of that.
     */
    public static RealMode preferred(boolean ept) {
        return ept ? UNRESTRICTED : VM86;
    }

    /** What serves in this one's place after the MMU was swapped: without EPT there is no unrestricted guest. */
    public RealMode servedBy(boolean ept) {
        return this == UNRESTRICTED && !ept ? EMULATE : this;
    }
}
