package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.EmulatorFactory;
import org.backplane.kvm.spi.mmu.VmMemory;
import org.osgi.service.component.annotations.Component;

/** The service: {@code -emulator interpreter}. */
@Component(service = EmulatorFactory.class)
public final class InterpreterFactory implements EmulatorFactory {
    /** CPUID leaf 1 EDX bits. */
    private static final long FPU = 1, DE = 1 << 2, PSE = 1 << 3, TSC = 1 << 4, MSR = 1 << 5, PAE = 1 << 6, CX8 = 1 << 8, SEP = 1 << 11,
            PGE = 1 << 13, CMOV = 1 << 15, MMX = 1 << 23, FXSR = 1 << 24;

    @Override
    public String type() {
        return "interpreter";
    }

    @Override
    public String description() {
        return "interpreter of pre-decoded blocks";
    }

    @Override
    public Emulator create(VmMemory memory) {
        return new Interpreter(memory);
    }

    @Override
    public long cpuFeatures() {
        return FPU | DE | PSE | TSC | MSR | PAE | CX8 | SEP | PGE | CMOV | MMX | FXSR;
    }
}
