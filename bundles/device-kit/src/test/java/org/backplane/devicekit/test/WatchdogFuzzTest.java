package org.backplane.devicekit.test;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.devicekit.test.Watchdog.Flaw;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The fuzz test on a sound device, and on devices with one flaw each. */
class WatchdogFuzzTest extends DeviceFuzzTest {
    @Override
    protected DeviceFactory factory() {
        return new Watchdog.Factory(Flaw.NONE);
    }

    private static DeviceFuzzTest fuzz(Flaw flaw) {
        Watchdog.Factory one = new Watchdog.Factory(flaw);
        return new DeviceFuzzTest() {
            @Override
            protected DeviceFactory factory() {
                return one;
            }
        };
    }

    @ParameterizedTest
    @EnumSource(names = {"SAVE_HAS_EFFECT", "LOAD_FORGETS_A_VALUE", "LOAD_FORGETS_THE_LINE", "RESUME_CHANGES_STATE"})
    void flawIsFound(Flaw flaw) {
        assertThrows(AssertionError.class, fuzz(flaw)::noGuestBreaksItAndNoSwapIsNoticed);
    }

    @Test
    void aFailureNamesSeedStepAndWhatWasDone() {
        String message = assertThrows(AssertionError.class, fuzz(Flaw.LOAD_FORGETS_A_VALUE)::noGuestBreaksItAndNoSwapIsNoticed).getMessage();
        assertTrue(message.matches("(?s)watchdog: seed \\d+, run \\d+, step \\d+: .*"), message);
        assertTrue(message.contains("\n  write16 regs+"), message);
    }
}
