// SPDX-License-Identifier: Apache-2.0
package org.backplane.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class RequestTest {

    @Test
    void nothingMeansTheShell() throws Exception {
        assertEquals(Request.Mode.INTERACTIVE, Request.parse().mode());
    }

    @Test
    void aCommandGetsItsArgumentsUntouched() throws Exception {
        Request request = Request.parse("--timing", "run", "-c", "--data", "help", "");
        assertEquals(Request.Mode.COMMAND, request.mode());
        assertEquals("run", request.text());
        assertEquals(List.of("-c", "--data", "help", ""), request.arguments());
        assertTrue(request.timing());
    }

    @Test
    void aScriptHasArguments() throws Exception {
        Request request = Request.parse("-f", "a.gogo", "x", "-y");
        assertEquals("a.gogo", request.text());
        assertEquals(List.of("x", "-y"), request.arguments());
    }

    @Test
    void dataIsMadeAbsolute() throws Exception {
        assertEquals(Path.of("d").toAbsolutePath(), Request.parse("--data", "d").data());
    }

    @Test
    void whatMakesNoSenseIsToldInOneLine() {
        assertEquals("-c needs commands", badUsage("-c"));
        assertEquals("-c takes one argument, quote the commands: b", badUsage("-c", "a", "b"));
        assertEquals("-f needs a file, or - for standard input", badUsage("-f"));
        assertEquals("--data needs a directory", badUsage("--data"));
        assertEquals("unknown option '-x', see backplane help", badUsage("-x"));
        assertEquals("unknown option '', see backplane help", badUsage(""));
    }

    private static String badUsage(String... args) {
        return assertThrows(Request.BadUsage.class, () -> Request.parse(args)).getMessage();
    }
}
