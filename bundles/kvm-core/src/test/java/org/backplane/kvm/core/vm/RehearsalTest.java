package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.function.Consumer;
import org.backplane.directmmu.DirectMmuFactory;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.EmulatorFactory;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.backplane.kvm.spi.mmu.VmMemory;
import org.backplane.shadowmmu.ShadowMmuFactory;
import org.backplane.vmx.VmxFactory;
import org.backplane.x86.emulate.InterpreterFactory;
import org.junit.jupiter.api.Test;

class RehearsalTest {
    private static void rehearse(MmuFactory mmu, EmulatorFactory emulator, RealMode mode) {
        Rehearsal.run(new CpuCards.Choice(new VmxFactory(), mmu, emulator), mode, Map.of());
    }

    @Test
    void cardsThatWorkPassWithEveryKindOfPaging() {
        rehearse(new DirectMmuFactory(), new InterpreterFactory(), null);
        rehearse(new ShadowMmuFactory(), new InterpreterFactory(), null);
        rehearse(new DirectMmuFactory(), new InterpreterFactory(), RealMode.VM86);
        rehearse(new ShadowMmuFactory(), new InterpreterFactory(), RealMode.EMULATE);
    }

    /** An emulator that is right but for what a test does to the state before its runs. */
    private static EmulatorFactory wrong(Consumer<CpuState> beforeRun) {
        EmulatorFactory right = new InterpreterFactory();
        return new EmulatorFactory() {
            @Override
            public Emulator create(VmMemory memory) {
                Emulator e = right.create(memory);
                return (Emulator) Proxy.newProxyInstance(
                        RehearsalTest.class.getClassLoader(), new Class<?>[] {Emulator.class}, (self, method, args) -> {
                            if (method.getName().equals("run")) beforeRun.accept(((VcpuContext) args[0]).state);
                            try {
                                return method.invoke(e, args);
                            } catch (InvocationTargetException x) {
                                throw x.getCause();
                            }
                        });
            }

            @Override
            public long cpuFeatures() {
                return right.cpuFeatures();
            }

            @Override
            public String type() {
                return "wrong";
            }

            @Override
            public String description() {
                return "of a test";
            }
        };
    }

    @Test
    void cardsThatThrowAreRefused() {
        EmulatorFactory throwing = wrong(state -> {
            throw new UnsupportedOperationException("not today");
        });
        assertEquals(
                "not today",
                assertThrows(UnsupportedOperationException.class, () -> rehearse(new DirectMmuFactory(), throwing, null)).getMessage());
    }

    @Test
    void cardsThatComputeNonsenseAreRefused() {
        EmulatorFactory skipping = wrong(state -> {
            if (state.rip != 0x1000) return;
            state.rip += "b910000000".length() / 2;
            state.gpr[CpuState.RCX] = 15;
        });
        String message = assertThrows(IllegalStateException.class, () -> rehearse(new DirectMmuFactory(), skipping, null)).getMessage();
        assertTrue(message.contains("the sum 120 for 136"), message);
    }
}
