package org.backplane.kvm.core.cpu;

import java.util.List;
import java.util.function.LongSupplier;
import org.backplane.kvm.spi.cpu.CpuState;

/**
 * The model-specific registers of a vCPU. Those that other cards need live in {@link CpuState}; the few others here. An unknown
 * MSR, a reserved bit or a non-canonical address is a general-protection fault: the methods answer false.
 */
public final class Msrs {
    public static final int TSC = 0x10,
            PLATFORM_ID = 0x17,
            APIC_BASE = 0x1b,
            BIOS_SIGN_ID = 0x8b,
            SYSENTER_CS = 0x174,
            SYSENTER_ESP = 0x175,
            SYSENTER_EIP = 0x176,
            MISC_ENABLE = 0x1a0,
            PAT = 0x277,
            EFER = 0xc0000080,
            STAR = 0xc0000081,
            LSTAR = 0xc0000082,
            CSTAR = 0xc0000083,
            SFMASK = 0xc0000084,
            FS_BASE = 0xc0000100,
            GS_BASE = 0xc0000101,
            KERNEL_GS_BASE = 0xc0000102;

    /** All of them, for KVM_GET_MSR_INDEX_LIST. */
    public static final List<Integer> INDICES = List.of(
            TSC, APIC_BASE, BIOS_SIGN_ID, SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP, MISC_ENABLE, PAT, EFER, STAR, LSTAR,
            CSTAR, SFMASK, FS_BASE, GS_BASE, KERNEL_GS_BASE);

    private static final long PAT_RESET = 0x0007_0406_0007_0406L;

    private final CpuState s;
    private final ControlRegisters control;
    private final Cpuid cpuid;
    private final LongSupplier tscSource;

    /** Added to the source: what a write of the TSC changed. */
    private long tscOffset;

    private long apicBase = 0xfee00900L;
    private long pat = PAT_RESET;
    private long biosSignature;

    /** The value that {@link #read} found. */
    public long value;

    public Msrs(CpuState s, ControlRegisters control, Cpuid cpuid, LongSupplier tscSource) {
        this.cpuid = cpuid;
        this.s = s;
        this.control = control;
        this.tscSource = tscSource;
    }

    public void reset() {
        tscOffset = 0;
        apicBase = 0xfee00900L;
        pat = PAT_RESET;
        biosSignature = 0;
    }

    public long tsc() {
        return tscSource.getAsLong() + tscOffset;
    }

    public long apicBase() {
        return apicBase;
    }

    public void setApicBase(long v) {
        apicBase = v;
    }

    /** RDMSR: puts the value into {@link #value}; false for #GP. */
    public boolean read(int index) {
        switch (index) {
            case TSC -> value = tsc();
            // Read-only, and there on every P6 (SDM 4, the P6 family's MSRs); a kernel reads it to choose microcode.
            case PLATFORM_ID -> value = 0;
            case APIC_BASE -> value = apicBase;
            case BIOS_SIGN_ID -> value = biosSignature;
            case SYSENTER_CS -> value = s.sysenterCs;
            case SYSENTER_ESP -> value = s.sysenterEsp;
            case SYSENTER_EIP -> value = s.sysenterEip;
            case MISC_ENABLE -> value = 0;
            case PAT -> value = pat;
            case EFER -> value = s.efer;
            case STAR -> value = s.star;
            case LSTAR -> value = s.lstar;
            case CSTAR -> value = s.cstar;
            case SFMASK -> value = s.sfmask;
            case FS_BASE -> value = s.segBase[CpuState.FS];
            case GS_BASE -> value = s.segBase[CpuState.GS];
            case KERNEL_GS_BASE -> value = s.kernelGsBase;
            default -> {
                return false;
            }
        }
        return true;
    }

    /** WRMSR; false for #GP. */
    public boolean write(int index, long v) {
        switch (index) {
            case TSC -> tscOffset = v - tscSource.getAsLong();
            case APIC_BASE -> apicBase = v;
            case BIOS_SIGN_ID -> biosSignature = v;
            case SYSENTER_CS -> s.sysenterCs = v & 0xffff;
            case SYSENTER_ESP, SYSENTER_EIP, LSTAR, CSTAR, FS_BASE, GS_BASE, KERNEL_GS_BASE -> {
                return canonical(v) && writeAddress(index, v);
            }
            case MISC_ENABLE -> {}
            case PAT -> {
                for (int i = 0; i < 8; i++) {
                    long type = v >>> 8 * i & 0xff;
                    if (type > 7 || type == 2 || type == 3) return false;
                }
                pat = v;
            }
            case EFER -> {
                return control.setEfer(v, cpuid.efer());
            }
            case STAR -> s.star = v;
            case SFMASK -> s.sfmask = v;
            default -> {
                return false;
            }
        }
        return true;
    }

    /** Bits 63:47 are equal (SDM 1 3.3.7.1). */
    private static boolean canonical(long address) {
        return address << 16 >> 16 == address;
    }

    private boolean writeAddress(int index, long v) {
        switch (index) {
            case SYSENTER_ESP -> s.sysenterEsp = v;
            case SYSENTER_EIP -> s.sysenterEip = v;
            case LSTAR -> s.lstar = v;
            case CSTAR -> s.cstar = v;
            case FS_BASE -> s.segBase[CpuState.FS] = v;
            case GS_BASE -> s.segBase[CpuState.GS] = v;
            default -> s.kernelGsBase = v;
        }
        return true;
    }
}
