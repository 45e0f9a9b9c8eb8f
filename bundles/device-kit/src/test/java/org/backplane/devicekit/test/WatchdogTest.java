package org.backplane.devicekit.test;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.backplane.devicekit.test.Watchdog.Flaw;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.RegisterTraceSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The contract test on a sound device, and on devices with one flaw each: every rule must be able to fail. */
class WatchdogTest extends DeviceContractTest {
    @Override
    protected DeviceFactory factory() {
        return new Watchdog.Factory(Flaw.NONE);
    }

    @Override
    protected void exercise(DeviceBench b) {
        use(b);
    }

    private static void use(DeviceBench b) {
        b.write("regs", 2, 2, 500);
        b.write("regs", 0, 1, 1);
        b.clock().advance(600_000);
    }

    /** The contract for a device with this flaw. */
    private static DeviceContractTest contract(Flaw flaw) {
        Watchdog.Factory one = new Watchdog.Factory(flaw);
        return new DeviceContractTest() {
            @Override
            protected DeviceFactory factory() {
                return one;
            }

            @Override
            protected void exercise(DeviceBench b) {
                use(b);
            }
        };
    }

    private static void found(Executable rule) {
        assertThrows(Throwable.class, rule, "the rule did not notice");
    }

    @Test
    void everyRuleFindsItsFlaw() {
        found(contract(Flaw.RAISES_IN_ATTACH)::attachTouchesNothing);
        found(contract(Flaw.RESET_COUNTS)::resetIsIdempotent);
        found(contract(Flaw.RESET_LEAVES_LINE)::resetLowersTheIrqLines);
        found(contract(Flaw.SAVE_HAS_EFFECT)::saveHasNoSideEffects);
        found(contract(Flaw.LOAD_FORGETS_A_VALUE)::saveThenLoadIsTheIdentity);
        found(contract(Flaw.LOAD_FORGETS_THE_LINE)::loadIntoAFreshSlotSetsTheLines);
        found(contract(Flaw.LOAD_REFUSES_ABSENT)::absentStateValuesTakeDefaults);
        found(contract(Flaw.LOAD_TAKES_WRONG_TYPE)::stateOfAWrongTypeIsRefusedByName);
        found(contract(Flaw.RESUME_CHANGES_STATE)::quiesceAndResumeAreIdempotentAndLoseNothing);
        found(contract(Flaw.SHARES_STATE)::devicesOfOneFactoryShareNothing);
        found(contract(Flaw.SAVES_NOTHING_NEW)::exerciseReachesAnotherState);
        found(contract(Flaw.BREAKS_AFTER_DETACH)::toleratesCallsAfterDetach);
    }

    @Test
    void soundDeviceHasNone() {
        assertDoesNotThrow(contract(Flaw.NONE)::resetIsIdempotent);
        DeviceBench b = fresh();
        exercise(b);
        assertEquals("!", b.character("log").output());
        assertEquals(3, b.read("regs", 0, 1));
    }

    @Test
    void registersAreTracedByNameThroughTheFacet() {
        DeviceBench b = fresh();
        List<String> seen = new ArrayList<>();
        RegisterTraceSource source = b.facet(RegisterTraceSource.class);
        source.traceTo((register, bits, write, value, fields) -> seen.add((write ? "W " : "R ") + register + bits + " " + value + " " + fields));
        b.write("regs", 2, 2, 500);
        b.write("regs", 0, 1, 1);
        b.read("regs", 0, 1);
        source.traceTo(null);
        b.read("regs", 0, 1);
        assertEquals(List.of("W limit16 500 ", "W control8 1 enable=0x1", "R control8 1 enable=0x1"), seen);
    }
}
