package org.backplane.x86.isa.oracle;

import org.junit.jupiter.api.AfterAll;

/** The x87 and MMX lines by decoder and handlers alone. */
class FpuTableOracleTest extends FpuTableContract {
    private static final Digests DIGESTS = new Digests(FpuTableContract.class, "fpu.digest");

    @AfterAll
    static void save() {
        DIGESTS.save();
    }

    @Override
    protected UserMachine machine() {
        return new HandlerMachine();
    }

    @Override
    protected Digests digests() {
        return DIGESTS;
    }
}
