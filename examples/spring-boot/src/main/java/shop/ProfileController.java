package shop;

import java.util.List;

import org.springframework.core.env.Environment;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** The controller of the article: says which profile answers. bluegreen asks it before the switch. */
@RestController
public class ProfileController {
    private static final List<String> REAL = List.of("real", "real1", "real2");

    private final Environment environment;

    public ProfileController(Environment environment) {
        this.environment = environment;
    }

    @GetMapping("/profile")
    public String profile() {
        List<String> profiles = List.of(environment.getActiveProfiles());
        String otherwise = profiles.isEmpty() ? "default" : profiles.get(0);
        return profiles.stream().filter(REAL::contains).findFirst().orElse(otherwise);
    }
}
