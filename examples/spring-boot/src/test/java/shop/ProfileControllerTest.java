package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.springframework.mock.env.MockEnvironment;

/** The three tests of the article. */
class ProfileControllerTest {
    private static String profile(String... active) {
        MockEnvironment environment = new MockEnvironment();
        environment.setActiveProfiles(active);
        return new ProfileController(environment).profile();
    }

    @Test
    void aRealProfileIsNamed() {
        assertEquals("real2", profile("oauth", "real2", "real-db"));
    }

    @Test
    void withoutARealOneItIsTheFirst() {
        assertEquals("oauth", profile("oauth", "real-db"));
    }

    @Test
    void withoutAnyItIsTheDefault() {
        assertEquals("default", profile());
    }
}
