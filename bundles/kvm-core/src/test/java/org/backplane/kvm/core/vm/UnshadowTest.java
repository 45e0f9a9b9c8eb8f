package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.EmulatorFactory;
import org.backplane.kvm.spi.mmu.VmMemory;
import org.backplane.x86.emulate.InterpreterFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of a write to a shadowed page table when the emulator cannot do the instruction: here it can do none at all. */
@Timeout(value = 15, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class UnshadowTest {
    private final HandMadeVm machine = new HandMadeVm();
    private int asked;

    @AfterEach
    void close() {
        machine.close();
    }

    /** The interpreter, but for {@code emulateOne}. */
    private final class Unable implements EmulatorFactory {
        private final EmulatorFactory real = new InterpreterFactory();

        @Override
        public String type() {
            return "unable";
        }

        @Override
        public String description() {
            return "emulates nothing";
        }

        @Override
        public Emulator create(VmMemory memory) {
            Emulator emulator = real.create(memory);
            return (Emulator) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {Emulator.class}, (proxy, method, args) -> {
                if (method.getName().equals("emulateOne")) {
                    asked++;
                    return Emulator.UNHANDLEABLE;
                }
                try {
                    return method.invoke(emulator, args);
                } catch (InvocationTargetException e) {
                    throw e.getCause();
                }
            });
        }

        @Override
        public long cpuFeatures() {
            return real.cpuFeatures();
        }
    }

    /** Identity below 1 MiB, and a table at 7000 for 4 MiB, whose first page is 9000. */
    private void boot(String code) {
        machine.emulator = new Unable();
        machine.boot("shadow", code);
        for (int i = 0; i < 256; i++) machine.vm.memory().write(0x6000 + i * 4, 4, (long) i << 12 | 3);
        machine.vm.memory().write(0x5000, 4, 0x6003);
        machine.vm.memory().write(0x5004, 4, 0x7003);
        machine.vm.memory().write(0x7000, 4, 0x9003);
        KvmSregs s = machine.vcpu.getSregs();
        s.cr3 = 0x5000;
        s.cr0 |= 0x80010000L;
        machine.vcpu.setSregs(s);
    }

    @Test
    void tableThatCannotBeWrittenByEmulationIsShadowedNoMoreAndTheGuestGoesOn() {
        // mov eax,[400000]; mov dword [7008],a003; mov ebx,[402000]; hlt
        boot("a1 00004000 c705 08700000 03a00000 8b1d 00204000 f4");
        machine.vm.memory().write(0xa000, 4, 0x1234);
        machine.run(Exit.HLT);
        assertEquals(1, asked);
        assertEquals(0xa023, machine.vm.memory().read(0x7008, 4));
        assertEquals(0x1234, machine.vcpu.getRegs().gpr[3]);
        assertEquals(1, machine.vm.mmu().counters().get("mmu_flooded"));
        assertEquals(0, machine.vm.auditor().audit().violationCount());
    }

    /** The directory is in use as a root and stays one: one more try, and then the caller hears of it. */
    @Test
    void directoryInUseThatCannotBeWrittenByEmulationIsAnInternalError() {
        boot(/* mov dword [5008],a003 */ "c705 08500000 03a00000 f4");
        machine.run(Exit.INTERNAL_ERROR);
        assertEquals(2, asked);
        assertEquals(HandMadeVm.CODE, machine.rip());
        assertEquals(0, machine.vm.memory().read(0x5008, 4));
    }
}
