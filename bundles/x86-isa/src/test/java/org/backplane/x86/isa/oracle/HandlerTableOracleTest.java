package org.backplane.x86.isa.oracle;

import org.junit.jupiter.api.AfterAll;

/** The opcode table's user-mode forms by decoder and handlers alone. */
class HandlerTableOracleTest extends UserModeContract {
    private static final Digests DIGESTS = new Digests(UserModeContract.class, "user.digest");

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
