package org.backplane.x86.isa.oracle;

import org.backplane.kvm.spi.cpu.CpuState;

/** What {@link UserModeContract} tests: something of ours that executes an instruction of 32-bit user mode. */
public interface UserMachine {
    /** The state to set up before {@link #run} and to look at after it. */
    CpuState state();

    /** The bytes of memory at {@link #setWindow}; read and written between runs. */
    byte[] window();

    /** Says at which linear address the window lies; once, before anything else. */
    void setWindow(long address);

    /** The code to execute, at this linear address: one or a few instructions. */
    void load(long address, byte[] code);

    /**
     * Executes from {@code state().rip} to the end of the code.
     *
     * @return what went wrong (a fault, an access outside of the window), or null
     */
    String run();
}
